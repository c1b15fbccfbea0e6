/* The page's interaction: details of a layer on hover, click and keys; finding and sorting in the table.
 * Text from the logs is only ever set as textContent. */
'use strict';
(function () {
  const $ = (id) => document.getElementById(id);
  const source = $('data');
  const data = source ? JSON.parse(source.textContent) : { layers: [] };
  const SVG = (document.querySelector('svg') || document.body).namespaceURI;

  function make(name, properties, ...children) {
    const element = Object.assign(document.createElement(name), properties || {});
    element.append(...children.filter((c) => c !== null));
    return element;
  }
  function draw(name, attributes, ...children) {
    const element = document.createElementNS(SVG, name);
    for (const key of Object.keys(attributes)) element.setAttribute(key, attributes[key]);
    element.append(...children);
    return element;
  }
  const number = (v) => (v === undefined || v === null ? '–' : String(Number(v.toPrecision(4))).replace(/^-/, '−'));

  /* ---- Details of one layer ---- */

  function facts(title, rows) {
    const list = make('dl');
    for (const [name, value] of rows) {
      if (value === null) continue;
      list.append(make('div', {}, make('dt', { textContent: name }), make('dd', { textContent: value })));
    }
    return make('div', {}, make('h4', { textContent: title }), list);
  }

  function picture(label, height, ...children) {
    return draw('svg', { viewBox: '0 0 320 ' + height, role: 'img', 'aria-label': label }, ...children);
  }
  function words(x, y, anchor, text) {
    const element = draw('text', { x, y, 'text-anchor': anchor });
    element.textContent = text;
    return element;
  }

  function histogram(h) {
    const high = 110;
    /* The square root, so that rare values are visible beside a peak. */
    const at = (v) => high - Math.sqrt(v / 999) * (high - 6);
    const outline = (bins) => bins.map((v, i) => {
      const left = (320 * i) / bins.length, right = (320 * (i + 1)) / bins.length;
      return (i ? 'L' : 'M') + left.toFixed(1) + ' ' + at(v).toFixed(1) + 'H' + right.toFixed(1);
    }).join('');
    const parts = [];
    if (h.r.length) parts.push(draw('path', { class: 'h-reference', d: outline(h.r) + 'V' + high + 'H0z' }));
    if (h.e.length) parts.push(draw('path', { class: 'h-edge', d: outline(h.e) }));
    return make('div', {}, make('h4', { textContent: 'Values' }),
      picture('Histograms of the edge (line) and the reference (filled)', 128, ...parts,
        words(0, 125, 'start', number(h.lo)), words(320, 125, 'end', number(h.hi))),
      make('p', { className: 'caption', textContent: 'Line: edge. Filled: reference. Heights are square roots of shares, of up to ' +
        data.frames + ' frames.' }));
  }

  function channels(c) {
    const worst = Math.max(...c.v), most = worst || 1, width = 320 / c.v.length;
    const bars = c.v.map((v, i) => {
      const tall = (v / most) * 104;
      return draw('rect', { class: v === most ? 'c-worst' : 'c-bar', x: (i * width).toFixed(2), y: (110 - tall).toFixed(1),
        width: Math.max(width - 0.6, 0.4).toFixed(2), height: tall.toFixed(1) });
    });
    const grouped = c.v.length < c.n ? ' Each bar is the worst of ' + Math.ceil(c.n / c.v.length) + ' channels.' : '';
    return make('div', {}, make('h4', { textContent: 'Error by channel' }),
      picture('Error of each channel', 128, ...bars, words(0, 125, 'start', 'channel 0'),
        words(320, 125, 'end', String(c.n - 1))),
      make('p', { className: 'caption', textContent: (worst ? 'Worst: channel ' + c.w + ', ' + number(worst) + '.' : 'No channel differs.') + grouped }));
  }

  function errorRows(l) {
    const estimate = l.lo !== undefined && l.hi !== undefined && l.lo !== l.hi
      ? ' (' + number(l.lo) + ' to ' + (l.hi === null ? '∞' : number(l.hi)) + ')' : '';
    return [
      ['error', number(l.e) + estimate],
      ['noise floor', number(l.no)],
      ['it may add itself', l.own === undefined ? null : number(l.own)],
      ['run alone on the edge’s inputs', l.is === undefined ? null : number(l.is)],
      ['nRMSE (0 is equal)', number(l.nr)],
      ['cosine (1 is equal)', number(l.co)],
      ['largest difference', number(l.ma)],
      ['SQNR, dB (higher is better)', number(l.sq)],
      ['elements', String(l.n)],
      ['estimated from', l.from || null],
      ['why no figures', l.p || null],
      ['matched by', l.by || null],
    ];
  }

  /* `skip`: a name that is shown already. */
  function sideRows(s, skip) {
    return [
      ['node', s.i + ' ' + s.op],
      ['name', s.n === skip ? null : s.n || '(no name)'],
      ['type', s.q || null],
      ['shape', s.s || null],
      ['least, greatest', number(s.v[0]) + ', ' + number(s.v[1])],
      ['mean, deviation', number(s.v[2]) + ', ' + number(s.v[3])],
      ['not finite', s.bad ? String(s.bad) : null],
    ];
  }

  let chosen = -1;
  function show(index) {
    const panel = $('details');
    if (!panel || !(index >= 0 && index < data.layers.length) || index === chosen) return;
    const l = data.layers[index];
    mark(index);
    const columns = make('div', { className: 'cols' }, facts('Difference', errorRows(l)), facts('Edge', sideRows(l.s[0], l.s[0].n)),
      facts('Reference', sideRows(l.s[1], l.s[0].n)));
    columns.append(l.h ? histogram(l.h) : make('p', { className: 'caption',
      textContent: 'No values of both sides stand in the logs, so there is no histogram (--capture full keeps them).' }));
    if (l.c) columns.append(channels(l.c));
    panel.replaceChildren(
      make('h3', {}, 'Layer ' + l.s[0].i + ', ' + l.s[0].op),
      make('p', { className: 'sub' }, make('span', { className: 'r-' + l.r, textContent: l.rw }), l.s[0].n ? '. ' + l.s[0].n : '.'),
      columns);
    panel.hidden = false;
  }

  function mark(index) {
    const old = $('row-' + chosen), row = $('row-' + index), pick = $('pick');
    if (old) old.classList.remove('chosen');
    if (row) row.classList.add('chosen');
    chosen = index;
    if (pick) {
      pick.value = index;
      pick.setAttribute('aria-valuetext', data.layers[index].s[0].i + ' ' + data.layers[index].s[0].op + ', ' + data.layers[index].rw);
    }
    const x = left + ((right - left) / data.columns) * (data.inputs + index + 0.5);
    for (const cursor of document.querySelectorAll('.cursor')) {
      cursor.setAttribute('transform', 'translate(' + x.toFixed(1) + ')');
      cursor.classList.add('on');
    }
  }

  /* ---- The charts ---- */

  const left = 72, right = 1028, wide = 1040; /* as html_layers.c draws them */

  function layerAt(svg, event) {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * wide;
    const column = Math.floor(((x - left) / (right - left)) * data.columns);
    return Math.min(Math.max(column - data.inputs, 0), data.layers.length - 1);
  }

  let held = false; /* a click holds the layer: moving the pointer away does not change it */
  for (const id of ['chart-error', 'chart-range']) {
    const svg = $(id);
    if (!svg) continue;
    svg.classList.add('live');
    svg.addEventListener('pointermove', (event) => { if (!held && event.pointerType === 'mouse') show(layerAt(svg, event)); });
    svg.addEventListener('click', (event) => {
      const index = layerAt(svg, event);
      held = !(held && index === chosen);
      show(index);
    });
  }

  const pick = $('pick');
  if (pick) {
    pick.closest('.pick').hidden = false;
    pick.addEventListener('input', () => { held = true; show(Number(pick.value)); });
  }

  function first() {
    const named = document.querySelector('#findings [data-layer]'); /* what the first cause is about */
    if (named) return Number(named.dataset.layer);
    const wrong = data.layers.findIndex((l) => l.r === 'origin');
    return wrong >= 0 ? wrong : Math.max(0, data.layers.findIndex((l) => l.r === 'passes'));
  }
  if (data.layers.length) show(first());

  document.addEventListener('click', (event) => {
    const target = event.target.closest('[data-layer]');
    if (!target) return;
    held = true;
    show(Number(target.dataset.layer));
    if (target.classList.contains('name')) $('details').scrollIntoView({ block: 'nearest' });
  });

  /* ---- The table ---- */

  const table = $('rows');
  if (!table) return;
  const body = table.tBodies[0], rows = Array.from(body.rows), find = $('find'), which = $('show');
  find.closest('.tools').hidden = false;

  function matches(row) {
    const kind = row.classList;
    if (which.value === 'wrong') return kind.contains('origin') || kind.contains('passes');
    return !which.value || kind.contains(which.value);
  }
  function filter() {
    const wanted = find.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !matches(row) || !(row.cells[0].textContent + ' ' + row.cells[1].textContent).toLowerCase().includes(wanted);
      count += !row.hidden;
    }
    $('shown').textContent = count + ' of ' + rows.length;
  }
  find.addEventListener('input', filter);
  which.addEventListener('change', filter);
  filter();

  const key = (row, column) => {
    const text = row.cells[column].textContent;
    if (column === 1 || column === 2) return text;
    return text.endsWith('∞') ? (text === '∞' ? Infinity : -Infinity) : parseFloat(text.replace('−', '-'));
  };
  function sort(column, header) {
    const up = header.getAttribute('aria-sort') !== 'ascending';
    for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
    header.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const sign = up ? 1 : -1;
    rows.sort((a, b) => {
      const x = key(a, column), y = key(b, column);
      if (typeof x === 'string') return sign * x.localeCompare(y);
      if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y); /* unknown values come last */
      return sign * (x - y);
    });
    body.append(...rows);
  }
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    const button = make('button', { type: 'button', className: 'sort', textContent: header.textContent });
    header.replaceChildren(button);
    button.addEventListener('click', () => sort(column, header));
  });
})();
