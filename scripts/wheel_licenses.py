"""Puts the licences of the libraries that a wheel bundles into it: wheel_licenses.py WHEEL [WHEEL...]

auditwheel copies Debian's libraries into the wheel; whoever passes them on must pass their licences on, too.  Each
library's Debian package says them (/usr/share/doc/PACKAGE/copyright), and refers to texts that all packages share
(/usr/share/common-licenses).  They become licenses/bundled/ in the wheel's .dist-info, with a list of libraries,
packages and versions: where the sources are.  Part of scripts/python_package.sh build.
"""

import base64
import csv
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

COMMON = pathlib.Path("/usr/share/common-licenses")
HEAD = """The libraries in exray.libs come from Debian, unchanged but for their names. Their licences are beside this list;
their sources are Debian's source packages of the versions named here. They are linked dynamically: a file in
exray.libs can be replaced by another build of its library.

"""


def fail(why):
    sys.exit(f"wheel_licenses: {why}")


def query(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def package_of(library):
    """The Debian package, its source and the source's version, of exray.libs/libNAME-HASH.so.1.2."""
    name = re.sub(r"-[0-9a-f]{8}(?=\.so)", "", library)
    found = {line.split(":")[0] for line in query("dpkg", "-S", f"*/{name}").splitlines()}
    if len(found) != 1:
        fail(f"no Debian package, or several, for {library} ({name}): {', '.join(found) or 'none'}")
    package = found.pop()
    source = query("dpkg-query", "-W", "-f=${source:Package} ${source:Version}\n", package).splitlines()[0]
    return package, *source.split()


def licences(libraries):
    """Path below licenses/bundled/ to bytes."""
    out, lines = {}, []
    for library in sorted(libraries):
        package, source, version = package_of(library)
        text = pathlib.Path("/usr/share/doc", package, "copyright")
        if not text.is_file():
            fail(f"{package} has no {text}")
        out[f"{package}.txt"] = text.read_bytes()
        for common in re.findall(rf"{COMMON}/([A-Za-z0-9.+-]*[A-Za-z0-9+])", text.read_text(errors="replace")):
            if not (COMMON / common).is_file():
                fail(f"{text} refers to {COMMON / common}, which is not there")
            out[f"common-licenses/{common}"] = (COMMON / common).read_bytes()
        lines.append(f"{library}  {package}.txt  source package {source} {version}\n")
    out["README.txt"] = (HEAD + "".join(lines)).encode()
    return out


def digest(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def add(path):
    new = path.with_suffix(".new")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as out:
        record = next(n for n in old.namelist() if n.endswith(".dist-info/RECORD"))
        folder = record.rsplit("/", 1)[0] + "/licenses/bundled"
        libraries = [n.rsplit("/", 1)[1] for n in old.namelist() if re.fullmatch(r"exray\.libs/[^/]+", n)]
        if not libraries:
            fail(f"{path} bundles no libraries; was it repaired by auditwheel?")
        rows = list(csv.reader(io.StringIO(old.read(record).decode())))
        for info in old.infolist():
            if info.filename != record:
                out.writestr(info, old.read(info))
        for name, data in sorted(licences(libraries).items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", old.getinfo(record).date_time)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
            out.writestr(entry, data)
            rows.append([entry.filename, digest(data), str(len(data))])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        out.writestr(old.getinfo(record), text.getvalue())
    os.replace(new, path)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not shutil.which("dpkg"):
        print("wheel_licenses: no dpkg here, so the wheel lacks the licences of the libraries in it: do not pass it on")
        sys.exit(0)
    for wheel in sys.argv[1:]:
        add(pathlib.Path(wheel))
