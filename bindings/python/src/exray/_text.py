"""Texts as ids, through the C library's tokenizers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Optional, Union

import numpy as np

from exray._errors import ArgumentError, encode, new_error, raise_filled, show
from exray._exray import ffi, lib

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KINDS = {"words": 0, "wordpiece": 1, "bytes": 2}
_TRUNCATIONS = {None: 0, "right": 1, "left": 2, "middle": 3}
_SIDES = {"right": False, "left": True}


def _choice(value: Any, among: "Mapping[Any, Any]", what: str) -> Any:
    try:
        return among[value]
    except (KeyError, TypeError):
        raise ArgumentError(f"{what} is one of {', '.join(str(k) for k in among if k)}, not {show(value)}") from None


class Tokenizer:
    """The tokenizers of a pipeline file (`text:`), with its names and defaults.

        tokenizer = exray.Tokenizer("wordpiece", "vocab.txt", length=24)
        ids = tokenizer("How do I bake bread?")          # int64 [24]
        mask = tokenizer.mask("How do I bake bread?")    # 1 where a token is, 0 in the padding

    vocabulary: a path, or the file's bytes.  special: {"pad": 0, "start": 1, "end": 3, "unknown": 2}, which are then all there
    are.  Any thread may use one."""

    def __init__(self, kind: str = "words", vocabulary: "Union[str, os.PathLike[str], bytes, None]" = None, *, lower_case: bool = True,
                 pattern: Optional[str] = None, special: "Optional[Mapping[str, int]]" = None, length: int = 0, pad: str = "right",
                 truncate: Optional[str] = None) -> None:
        config = ffi.new("exray_tokenizer_config *")
        config.size = ffi.sizeof("exray_tokenizer_config")
        config.kind = _choice(kind, _KINDS, "the kind of a tokenizer")
        config.keep_case = not lower_case
        config.pad_left = _choice(pad, _SIDES, "pad")
        config.truncation = _choice(truncate, _TRUNCATIONS, "truncate")
        if not isinstance(length, int) or length < 0:
            raise ArgumentError(f"length is a whole number of ids, 0 for as many as the text has, not {show(length)}")
        config.length = length
        kept = []
        if vocabulary is not None:
            path = b"vocabulary"
            if isinstance(vocabulary, (bytes, bytearray, memoryview)):
                data = bytes(vocabulary)
            else:
                data, path = Path(vocabulary).read_bytes(), os.fsencode(vocabulary)
            kept += [ffi.from_buffer(data), ffi.new("char[]", path)]
            config.vocabulary, config.vocabulary_size, config.vocabulary_name = kept[0], len(data), kept[1]
        if pattern is not None:
            kept.append(ffi.new("char[]", encode(pattern, "a pattern")))
            config.pattern = kept[-1]
        if special is not None:
            config.has_special = True
            for name, value in special.items():
                if name not in ("pad", "start", "end", "unknown") or not isinstance(value, int):
                    raise ArgumentError(f"special has whole numbers for pad, start, end and unknown, not {show({name: value})}")
                setattr(config.special, name, value)
                setattr(config.special, f"has_{name}", True)
        error = new_error()
        made = lib.exray_tokenizer_new(config, error)
        if made == ffi.NULL:
            raise_filled(error)
        self._tokenizer = ffi.gc(made, lib.exray_tokenizer_free)

    def _run(self, text: "Union[str, bytes]") -> "Any":
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
        row, error = ffi.new("exray_token_row *"), new_error()
        given = ffi.from_buffer(data)
        if lib.exray_tokenizer_run(self._tokenizer, ffi.cast("char *", given), len(data), ffi.NULL, 0, row, error):
            raise_filled(error)
        ids = np.zeros(row.count, np.int64)
        if row.count and lib.exray_tokenizer_run(self._tokenizer, ffi.cast("char *", given), len(data),
                                                 ffi.cast("int64_t *", ffi.from_buffer(ids)), row.count, row, error):
            raise_filled(error)
        return ids, row

    def __call__(self, text: "Union[str, bytes]") -> "NDArray[np.int64]":
        """The row of a text: int64, [length], or as many as the text has."""
        ids: "NDArray[np.int64]" = self._run(text)[0]
        return ids

    def mask(self, text: "Union[str, bytes]") -> "NDArray[np.int64]":
        """1 where the row has the text's ids (special ones included), 0 in the padding."""
        ids, row = self._run(text)
        where = np.arange(len(ids))
        mask: "NDArray[np.int64]" = np.asarray((where >= row.begin) & (where < row.end), np.int64)
        return 1 - mask if row.split else mask

    def token(self, id: int) -> Optional[str]:
        """The token of an id; None: the vocabulary has none."""
        size = ffi.new("size_t *")
        found = lib.exray_tokenizer_token(self._tokenizer, int(id), size)
        return None if found == ffi.NULL else bytes(ffi.buffer(found, size[0])).decode("utf-8", "replace")

    def id(self, token: str) -> Optional[int]:
        """The id of a token; None: the vocabulary does not have it."""
        data = token.encode("utf-8", "surrogatepass")
        found = int(lib.exray_tokenizer_id(self._tokenizer, ffi.cast("char *", ffi.from_buffer(data)), len(data)))
        return found if found >= 0 else None
