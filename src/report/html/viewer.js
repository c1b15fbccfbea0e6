/* Stepping through the frames, showing differences only, copying a fix. */
(function () {
  const $ = (id) => document.getElementById(id);
  const all = (selector) => Array.from(document.querySelectorAll(selector));

  function make(name, properties, ...children) {
    const element = Object.assign(document.createElement(name), properties || {});
    element.append(...children);
    return element;
  }

  /* ---- Differences only ---- */

  const only = $('only');
  if (only) {
    only.closest('.only').hidden = false;
    only.addEventListener('change', () => {
      document.body.classList.toggle('only-different', only.checked);
      if (only.checked) leaveEqual();
    });
  }
  const passed = (frame) => only && only.checked && frame.classList.contains('same');

  /* ---- Frames ---- */

  const viewer = $('viewer');
  const frames = viewer ? all('#viewer > .frame') : [];
  let at = Math.max(0, frames.findIndex((f) => f.id === viewer.dataset.first));

  const linkOf = (frame) => document.querySelector('.strip a[href="#' + frame.id + '"]');
  const where = make('span', { className: 'where', role: 'status' });

  function show(index) {
    at = index;
    frames.forEach((frame, i) => {
      frame.hidden = i !== at;
      const link = linkOf(frame);
      if (link && i === at) link.setAttribute('aria-current', 'true');
      else if (link) link.removeAttribute('aria-current');
    });
    where.textContent = (at + 1) + ' of ' + frames.length;
    const link = linkOf(frames[at]), strip = link && link.parentElement;
    if (strip) strip.scrollLeft = link.offsetLeft - strip.offsetLeft - strip.clientWidth / 2;
  }

  /* The next frame in a direction that is not passed over; the same one where there is none. */
  function step(direction) {
    for (let i = at + direction; i >= 0 && i < frames.length; i += direction)
      if (!passed(frames[i])) return show(i);
  }

  function leaveEqual() {
    if (frames.length === 0 || !passed(frames[at])) return;
    const next = frames.findIndex((f) => !passed(f));
    if (next >= 0) show(next);
  }

  /* The pictures of the strip are those of the frames: they are not in the file twice. */
  function picture(frame) {
    const image = frame.querySelector('img');
    const link = linkOf(frame);
    if (!image || !link) return;
    link.prepend(make('img', { src: image.src, alt: '', loading: 'lazy' }));
  }

  function isTyping(target) {
    return target.closest('input:not([type=checkbox]), select, textarea, [role="region"], audio') !== null;
  }
  function isSeen(element) {
    const box = element.getBoundingClientRect();
    return box.bottom > 0 && box.top < window.innerHeight;
  }

  if (frames.length > 1) {
    frames.forEach(picture);
    document.body.classList.add('stepped');
    for (const how of all('.how')) how.hidden = false;
    const back = make('button', { type: 'button', textContent: '‹ Previous' });
    const on = make('button', { type: 'button', textContent: 'Next ›' });
    back.addEventListener('click', () => step(-1));
    on.addEventListener('click', () => step(1));
    viewer.before(make('div', { className: 'stepper' }, back, where, on));
    document.addEventListener('keydown', (event) => {
      const direction = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      if (!direction || event.altKey || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
      if (!isSeen(viewer)) return;
      event.preventDefault();
      step(direction);
    });
    for (const link of all('.strip a'))
      link.addEventListener('click', (event) => {
        event.preventDefault();
        show(frames.findIndex((f) => '#' + f.id === link.getAttribute('href')));
      });
    show(at);
    window.addEventListener('hashchange', () => {
      const named = frames.findIndex((f) => '#' + f.id === location.hash);
      if (named >= 0) show(named);
    });
  }

  /* ---- Copying ---- */

  /* Where the clipboard is not given to pages from a disk, the text is selected: Ctrl+C copies it. */
  async function copy(text, element) {
    try {
      await navigator.clipboard.writeText(text);
      return 'Copied';
    } catch (refused) {
      const range = document.createRange();
      range.selectNodeContents(element);
      window.getSelection().removeAllRanges();
      window.getSelection().addRange(range);
      return document.execCommand('copy') ? 'Copied' : 'Selected';
    }
  }
  for (const button of all('button.copy')) {
    const text = button.parentElement.querySelector('.what');
    if (!text) continue;
    button.hidden = false;
    button.addEventListener('click', async () => {
      button.textContent = await copy(text.textContent, text);
      window.setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    });
  }
})();
