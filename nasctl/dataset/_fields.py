"""Numbers out of text, a whole block of fields at a time: eight characters lie in one 64-bit word.

A field that ends before byte ``e`` is the word at ``e - 8``, first character in the lowest byte, less what lies
before its start. Arithmetic on words then treats all eight characters, and all fields, at once; it is done in
place, since fresh memory for each result would take longer than the arithmetic.
"""

from __future__ import annotations

import numpy as np

Words = np.ndarray
"""Eight characters each, uint64 of any shape; unused ones are those in the low bytes."""

WIDTH = 8  # characters of a word


def _each(byte: int) -> np.uint64:
    """Return a word of eight equal characters."""
    return np.uint64(int.from_bytes(bytes([byte] * WIDTH), "little"))


def _bits(count: int) -> np.uint64:
    return np.uint64(count)


_USED = np.array([~((1 << 8 * (WIDTH - n)) - 1) & (1 << 64) - 1 for n in range(WIDTH + 1)], np.uint64)
"""The part of a word that a field of n characters uses."""

_ZEROS = _each(ord("0"))
_HIGH, _TOP = _each(0xF0), _each(0x80)
_PAIRS, _FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)


def words(text: np.ndarray, ends: np.ndarray) -> Words:
    """Return the eight characters before each of ``ends`` in ``text`` uint8, which reaches eight bytes back."""
    overlapping = np.ndarray((len(text) - WIDTH + 1,), "<u8", text.data, 0, (1,))
    made: Words = overlapping[ends - WIDTH]
    return made


def pad(characters: Words, lengths: np.ndarray) -> None:
    """Replace, in place, what lies before a field of ``lengths`` characters by zeros that change no number."""
    characters ^= _ZEROS
    characters &= _USED[np.minimum(lengths, WIDTH)]
    characters ^= _ZEROS


def decimals(characters: Words) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers that eight digits each write, as uint64, and where a character is none."""
    plain = characters + _each(0x06)
    plain &= _HIGH
    plain >>= _bits(4)
    plain |= characters & _HIGH
    value = characters & _each(0x0F)
    value *= np.uint64(10 << 8 | 1)
    value >>= _bits(8)
    value &= _PAIRS
    value *= np.uint64(100 << 16 | 1)
    value >>= _bits(16)
    value &= _FOURS
    value *= np.uint64(10_000 << 32 | 1)
    value >>= _bits(32)
    return value, plain != _each(0x33)


def hexadecimals(characters: Words) -> np.ndarray:
    """Return the numbers that eight hexadecimal digits each write, as uint32."""
    letters = characters >> _bits(6)
    letters &= _each(0x01)
    digits = characters & _each(0x0F)
    digits += letters
    letters <<= _bits(3)
    digits += letters  # nine more for a letter
    for bits, kept in ((4, _PAIRS), (8, _FOURS), (16, np.uint64(0xFFFFFFFF))):
        np.right_shift(digits, _bits(2 * bits), out=letters)
        digits <<= _bits(bits)
        digits |= letters
        digits &= kept
    return digits.astype(np.uint32)


def not_hexadecimal(characters: Words) -> np.ndarray:
    """Return where one of the eight characters is none of 0-9, a-f and A-F.

    A byte below 128 plus ``128 - n`` has its highest bit set exactly where it is ``n`` or more.
    """
    letter = characters | _each(0x20)
    letter ^= _each(0x60)  # 1..6 for a letter
    letter &= ~_TOP
    none = letter + _each(0x80 - 1)
    letter += _each(0x80 - 7)
    letter |= ~none
    digit = characters ^ _each(0x30)  # 0..9 for a digit
    digit &= ~_TOP
    digit += _each(0x80 - 10)
    digit &= letter
    digit |= characters
    digit &= _TOP
    values: np.ndarray = digit != 0
    return values
