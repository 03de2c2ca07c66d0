"""How other systems read a generated file: systemd and sh themselves, Upstart's rules."""

import ctypes
import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kit import debian

# systemd -------------------------------------------------------------------------------


@functools.cache
def systemd_analyze() -> tuple[str, dict[str, str] | None]:
    """Return the path of systemd-analyze(1), and the environment that it needs."""
    found = shutil.which("systemd-analyze")
    if found:
        return found, None
    root = debian.unpack("systemd")
    environment = debian.environment(root)
    environment["SYSTEMD_UNIT_PATH"] = f"{root}/lib/systemd/system:{root}/usr/lib/systemd/system:"
    return str(shutil.which("systemd-analyze", path=environment["PATH"])), environment


def verified(text: str, name: str = "x.service") -> tuple[int, str]:
    """Have systemd check a unit; return the exit status and the messages.

    The units that it requires are there: systemd 257 fails without them.
    """
    done = _analyze(text, name)
    return done.returncode, done.stderr.decode("utf-8", "surrogateescape")


def unit(text: str, name: str = "x.service") -> dict[str, list[str]]:
    """Return the settings of a unit as systemd read them, each with its values."""
    # systemd prints them at log level debug.
    done = _analyze(text, name, SYSTEMD_LOG_LEVEL="debug")
    told = done.stdout.decode("utf-8", "surrogateescape")
    # Newer versions print an arrow, depending on the locale.
    lines = re.sub(r"^(\t+)\u2192 ", r"\1-> ", told, flags=re.MULTILINE).split("\n")
    start = lines.index(f"\t-> Unit {name}:")
    found: dict[str, list[str]] = {}
    key = section = ""
    for line in lines[start + 1 :]:
        if line.startswith("\t-> Unit "):
            break
        inner = re.match(r"\t\t\t?(-> )?([\w ]+):(?: (.*))?$", line)
        if inner is None:  # the previous value continues
            if key:
                found[key][-1] += f"\n{line}"
        elif inner[1]:
            section, key = inner[2], ""
        else:
            key = section if inner[2] == "Command Line" else inner[2]
            found.setdefault(key, []).append(inner[3] or "")
    return found


def _analyze(text: str, name: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    program, environment = systemd_analyze()
    given = {**(environment or {}), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, name)
        file.write_text(text, errors="surrogateescape")
        for required in re.findall(
            r"^(?:Requires|BindsTo)=([\w.-]+\.service)$", text, re.MULTILINE
        ):
            (file.parent / required).write_text("[Service]\nExecStart=/bin/true\n")
        words = [program, "verify", "--man=no", str(file)]
        return subprocess.run(words, capture_output=True, env={**given, **more}, timeout=60)


def command(line: str, variables: bool = True) -> list[str]:
    """Return the words of a command line as systemd executes it without any variable."""
    words = [word.encode("utf-8", "surrogateescape") for word in _unquoted(line)]
    return [
        word.decode("utf-8", "surrogateescape")
        for word in (_expanded(words) if variables else words)
    ]


def _unquoted(line: str) -> Iterator[str]:
    """Split a line that systemd printed for a shell, with escapes as in C."""
    for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|([^ ]+)', line, re.DOTALL):
        data = (quoted or plain).encode("utf-8", "surrogateescape")
        text = re.sub(rb"\\([0-7]{3}|.)", _unescaped, data, flags=re.DOTALL)
        yield text.decode("utf-8", "surrogateescape")


def _unescaped(found: re.Match[bytes]) -> bytes:
    if len(found[1]) == 3:
        return bytes([int(found[1], 8)])
    named = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
    named[b"v"] = b"\v"
    return named.get(found[1], found[1])


def _expanded(words: Sequence[bytes]) -> list[bytes]:
    """Expand variables with systemd's own library; no variable is set."""
    library, version = _library()
    vector = ctypes.c_char_p * (len(words) + 1)
    given = vector(*words, None), (ctypes.c_char_p * 1)(None)
    made_by: Any = library.replace_env_argv
    result = ctypes.POINTER(ctypes.c_char_p)()
    if version < 254:
        made_by.restype = ctypes.POINTER(ctypes.c_char_p)
        result = made_by(*given)
    else:  # newer versions return a status
        assert 0 == made_by(*given, ctypes.byref(result), None, None)
    assert result, "replace_env_argv failed"
    made = []
    while result[len(made)] is not None:
        made.append(result[len(made)])
    return made


@functools.cache
def _library() -> tuple[ctypes.CDLL, int]:
    """Load systemd's library, the machine's or Debian's, with its dependencies; and its version."""
    pattern = "*/systemd/libsystemd-shared-*.so"
    for path in Path("/usr/lib").glob(pattern):
        return ctypes.CDLL(str(path)), _version(path)
    directory = debian.unpack("systemd") / "usr/lib"
    needed = sorted(directory.glob("*/lib*.so.*"))
    for _ in range(len(needed)):  # the loader finds by name what is loaded, in any order
        needed = [each for each in needed if not _loads(each)]
    path = next(directory.glob(pattern))
    return ctypes.CDLL(str(path)), _version(path)


def _version(path: Path) -> int:
    """Return the version in the name of systemd's library, libsystemd-shared-252.so."""
    return int(re.findall(r"\d+", path.name)[0])


def _loads(path: Path) -> bool:
    """Load a library for other libraries; return whether its own dependencies were found."""
    try:
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True


# sh ------------------------------------------------------------------------------------


def shell(text: str, name: str = "sh") -> list[str]:
    """Return the words that a shell makes of a text."""
    done = subprocess.run(
        [name, "-c", f"printf '%s\\0' {text}"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


# Upstart: the rules of libnih's parser, which reads jobs (init(5)) -----------------------

WHITE = " \t\r"
BLOCKS = ("script", "pre-start script", "post-start script", "pre-stop script", "post-stop script")
# Stanzas of init(5) that a job may have, with what follows them.
STANZAS = (
    "description author version usage env export emits expect kill reload respawn normal console "
    "umask nice oom limit chroot chdir setuid setgid manual instance debug apparmor cgroup start "
    "stop task exec pre-start post-start pre-stop post-stop script"
).split()


class Malformed(ValueError):
    """A job that Upstart would reject."""


def job(text: str) -> list[tuple[str, list[str]]]:
    """Return the stanzas of a job: names and words; the word of a block is its text."""
    found = []
    position = 0
    while position < len(text):
        position = _skip(text, position)
        if position >= len(text) or text[position] in "#\n":
            position = _next_line(text, position)
            continue
        words: list[str] = []
        start = position
        while position < len(text) and text[position] not in "#\n":
            word, position = _token(text, position)
            words.append(word)
            position = _skip(text, position)
            if words[-1] == "exec":
                end = _token(text, position, "#\n")[1]
                words.append(text[position:end])
                position = end
        if words[0] not in STANZAS:
            raise Malformed(f"no stanza: {text[start:position]!r}")
        position = _next_line(text, position)
        if " ".join(words) in BLOCKS:
            block, position = _block(text, position)
            words.append(block)
        found.append((words[0], words[1:]))
    return found


def _token(text: str, position: int, delimiters: str = WHITE + "#\n") -> tuple[str, int]:
    """Read a token; inside quotes a newline and the blanks around it are one blank."""
    made, quote = "", ""
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
            if position >= len(text):
                raise Malformed("a backslash at the end")
            if text[position] not in "\\\n" + WHITE:
                made += "\\"
            made += "" if text[position] == "\n" else text[position]
        elif quote:
            if character == quote:
                quote = ""
            elif character == "\n":
                made = made.rstrip(WHITE) + " "
            else:
                made += character
        elif character in "\"'":
            quote = character
        elif character in delimiters:
            break
        else:
            made += character
        position += 1
    if quote:
        raise Malformed("a quote is not closed")
    return made, position


def _block(text: str, position: int) -> tuple[str, int]:
    """Read a block to its end; the indentation that all lines share is removed from them."""
    lines = []
    while position < len(text):
        end = _next_line(text, position)
        line = text[position:end]
        position = end
        if re.fullmatch(rf"[{WHITE}]*end[{WHITE}]+script[{WHITE}]*(#.*)?\n?", line):
            first = re.match(rf"[{WHITE}]*", lines[0] if lines else "")
            shared = os.path.commonprefix([first[0] if first else "", *lines])
            return "".join(each[len(shared) :] for each in lines), position
        lines.append(line)
    raise Malformed("a block has no end")


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in WHITE:
        position += 1
    return position


def _next_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1
