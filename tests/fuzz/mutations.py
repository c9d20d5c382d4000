"""How input is spoilt: bytes flipped, cut, repeated and put in, numbers made absurd, lines swapped."""

import random
import re

__all__ = ["SPECIAL", "absurd", "spoilt", "words_spoilt"]

SPECIAL = (
    b"nan", b"inf", b"-inf", b"1e400", b"-1", b"0", b"-0.0", b"1e-320", b"0x10", b"1_000", b"1,5", b"\xd9\xa1\xd9\xa2",
    b"true", b"null", b"", b" ", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n\n", b"\t", b'"', b"'''",
    b"[", b"]]", b"{", b"}", b"=", b",", b";", b"#", b"\\", b"../../../etc/passwd", b"/dev/zero", b"/proc/self/mem", b"$HOME",
    b"`id`", b"$(touch pwned)", b"__import__('os').system('touch pwned')", b"!!python/object/apply:os.system ['touch pwned']",
    b"=cmd|' /C calc'!A0", b"<script>alert(1)</script>", b"\x1b[31m\x1b]0;pwned\x07", b"%s%n%x", b"A" * 5000, b"9" * 400,
    b"\xe2\x80\xae", b"\xf0\x9f\x92\xa5", b"--", b"-", b"default", b"used", b"quantiles", b"file = \"/etc/passwd\"",
)  # fmt: skip
NUMBER = re.compile(rb"-?\d+\.?\d*(?:e[+-]?\d+)?")


def absurd(rng: random.Random, content: bytes) -> bytes:
    """A number in the text becomes another, or none."""
    found = list(NUMBER.finditer(content))
    if not found:
        return content + rng.choice(SPECIAL)
    place = rng.choice(found)
    return content[: place.start()] + rng.choice(SPECIAL) + content[place.end() :]


def spoilt(rng: random.Random, content: bytes) -> bytes:
    """One to four changes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        content = rng.choice(CHANGES)(rng, content)
    return content


def _flip(rng: random.Random, content: bytes) -> bytes:
    if not content:
        return b"\x00"
    new = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        new[rng.randrange(len(new))] ^= 1 << rng.randrange(8)
    return bytes(new)


def _cut(rng: random.Random, content: bytes) -> bytes:
    start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:start] + content[min(end, start + rng.choice((1, 10, 1000, 10**7))) :]


def _truncate(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _repeat(rng: random.Random, content: bytes) -> bytes:
    start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return (
        content[:end]
        + content[start : min(end, start + 2000)] * rng.choice((1, 2, 30))
        + content[end:]
    )


def _insert(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(SPECIAL) + content[place:]


def _swap_lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    i, j = (rng.randrange(len(lines)) for _ in range(2))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def _drop_line(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    del lines[rng.randrange(len(lines))]
    return b"\n".join(lines)


CHANGES = (
    absurd,
    absurd,
    absurd,
    _flip,
    _cut,
    _truncate,
    _repeat,
    _insert,
    _insert,
    _swap_lines,
    _drop_line,
)


def words_spoilt(rng: random.Random, words: list[str]) -> list[str]:
    """A command line with words changed, dropped, repeated or put in; no word has a null character, which no system passes on."""
    words = list(words)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(len(words) + 1)
        new = rng.choice(SPECIAL).decode("utf-8", "surrogateescape")
        kind = rng.randrange(4)
        if kind == 0 or not words:
            words.insert(place, new)
        elif kind == 1:
            words[place % len(words)] = new
        elif kind == 2:
            del words[place % len(words)]
        else:
            chosen = words[place % len(words)].encode("utf-8", "surrogateescape")
            words[place % len(words)] = spoilt(rng, chosen).decode("utf-8", "surrogateescape")
    return [word.replace("\x00", "")[:20_000] for word in words]
