"""What an interpreter runs, by the words of its command line alone."""

import pytest

from ssd.interpreters import after_env, family, own_name, program, shebang

# command line -> what it runs, as kind and word
RUNS = {
    "python3 food": "file food",
    "/usr/bin/python3.11 -u -W error -X dev ./food --config x": "file ./food",
    "python -IuWerror food -c x": "file food",
    "python3 --check-hash-based-pycs always food": "file food",
    "python3 -Im http.server 80": "name http.server",
    "python3 -c food": None,
    "python3 - food": None,
    "python3 -- -food": "file -food",
    "python3": None,
    "pypy3.9 -u food": "file food",
    "perl -w -I lib -Mstrict -0777 food": "file food",
    "perl -lne food x": None,
    "perl -i.bak -pe food": None,
    "ruby -W0 -I lib -r json --encoding utf-8 food": "file food",
    "ruby --encoding=utf-8 food": "file food",
    "nodejs --inspect=0 -r ./pre --title food server.js 80": "file server.js",
    "node --max-http-header-size 16384 --env-file-if-exists .env food": "file food",
    "node --tls-min-v1.2 --max-old-space-size=100 food": "file food",
    "node --eval food": None,
    "node -p food": None,
    "php8.2 -d a=b -c /etc/php -f food.php -- x": "file food.php",
    "php --file=food.php": "file food.php",
    "php -r food": None,
    "tclsh8.6 -encoding utf-8 food": "file food",
    "expect -d -f food": "file food",
    "lua5.4 -e x -l y food": "file food",
    "luajit -joff -O3 food": "file food",
    "guile -L lib -e main -s food": "file food",
    "guile \\ food": "file food",
    "sh food": "file food",
    "bash -euo pipefail +x --rcfile /x food -c": "file food",
    "dash -o errexit food": "file food",
    "sh - food": "file food",
    "sh -ec food": None,
    "bash -s food": None,
    "tcsh -fb food -c": "file food",
    "csh -fc food": None,
    "tcsh -s food": None,
    "fish -N -C x --features=y --debug z -o /x food": "file food",
    "fish --command=food x": None,
    "fish -c food": None,
    "busybox sh food": "file food",
    "/bin/sh food as busybox": "file food",
    "busybox less food": None,
    "busybox": None,
    "env -u A B=c python3 -u food": "file food",
    "java -Xmx1g -cp a:b -Dx=y org.example.Food arg": "name org.example.Food",
    "java -cp lib -jar -Xmx1g food.jar": "file food.jar",
    "java -p mods --module food/org.example.Food": "name org.example.Food",
    "java -m food": "name food",
    "java @options Food.java": "file Food.java",
    "java -version": None,
    "java -cp lib": None,
    "ourinterpreter -x food -c": "file food",
}


@pytest.mark.parametrize("line", RUNS)
def test_program_is_found_among_the_options(line: str) -> None:
    """The script, jar, module or class; none where the words hold code or another applet."""
    words = line.encode().split()
    interpreter = b"busybox" if line.endswith("as busybox") else words[0]
    found = program(words, interpreter)
    assert RUNS[line] == (found and f"{found[0]} {found[1].decode()}")


def test_family_is_a_name_without_a_version() -> None:
    """A version and a build of a known interpreter are left out; any other name is none."""
    known = "python3 python3.11d /usr/bin/perl5.36.0 python2.7-dbg ksh93 guile-3.0 java env sh"
    assert "python python perl python ksh guile java env sh".split() == [
        (family(each.encode()) or b"").decode() for each in known.split()
    ]
    for other in "less vim python3-config php-fpm8.2 node_exporter Python pythons 3 sh.exe".split():
        assert None is family(other.encode()), other
    assert None is family(b"")


def test_own_name_is_of_the_file_or_the_class() -> None:
    """A directory is left out of a path; a class keeps its package."""
    assert [b"food", b"org.example/Food"] == [
        own_name(("file", b"/srv/food")),
        own_name(("name", b"org.example/Food")),
    ]


def test_shebang_names_the_interpreter() -> None:
    """A path, and the name that env(1) looks for; none without #!."""
    expected = {
        b"#!/usr/bin/python3 -u\nx": (b"/usr/bin/python3", None),
        b"#! /opt/our\t": (b"/opt/our", None),
        b"#!/usr/bin/env python3": (b"/usr/bin/env", b"python3"),
        b"#!/usr/bin/env -S A=b our -u\n": (b"/usr/bin/env", b"our"),
        b"#!/usr/bin/env": (b"/usr/bin/env", b""),
        b"#!\n": (b"", None),
        b"\x7fELF": (b"", None),
        b"": (b"", None),
    }
    assert expected == {line: shebang(line) for line in expected}


def test_env_is_left_out_with_its_options() -> None:
    """Variables, options with values, and a split string."""
    assert [b"our", b"-x", b"food"] == after_env([b"env", b"-i", b"--unset", b"A", b"B=c", b"-S",
                                                  b"our -x", b"food"])  # fmt: skip
    assert [b"our", b"x"] == after_env([b"env", b"--split-string=our", b"x"])
    assert [] == after_env([b"env", b"-i"])
