"""Mutators: what goes wrong with files in real life, and what somebody would write to make it go wrong.

Each takes a random generator and the file's bytes, and returns other bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from fuzz.tables import odd_table

Mutator = Callable[[random.Random, bytes], bytes]

_BYTES = [
    b"\0",
    b"\xff",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\r",
    b"\r\n",
    b"\t",
    b"\x1b[31m",
    b"\x80",
    b"\xed\xa0\x80",
    b"%",
]
_TEXTS = [
    "\u202e",
    "\u200b",
    "\u2028",
    "😀",
    "ß",
    "\\",
    '"',
    "'",
    "`",
    "${x}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "%s",
    "{0}",
]
_NUMBERS = ["0", "-1", "1e400", "9" * 40, "1" * 5000, "0x10", "1_000", "٣", "NaN", ".inf", "-0.0", "1,5"]
_YAML = [
    "[]", "{}", "null", "~", "true", "!!python/object/apply:os.system [ls]", "!x y", "&a [*a]", "*nobody", "<<: {a: 1}",
    "- a\n- b", "'", '"', "{{ env_var('HOME') }}", "{{ 1/0 }}", "{% for x in y %}", "a: b: c", "\t- x", "? [a, b]\n: c",
    "--- \n", "...", "|", ">-", "[" * 80, "{a: " * 70, "'{{'", "2026-02-30", "!!binary aGk=", "%YAML 9.9", "# only", ": ",
    "x" * 3000, "{name: {name: {}}}", "[[], {}, [null]]", "\u0085", "yes", "007", "12:30:45", "1e3",
]  # fmt: skip
_JINJA = [
    "{{ ref('nobody') }}", "{{ ref() }}", "{{ ref('users', 'x') }}", "{{ ref(users) }}", "{{ source('crm') }}", "{{ nope }}",
    "{{ config(materialised='view') }}", "{{ config(**{}) }}", "{{ config(tags=1) }}", "{{ config(materialized=none) }}",
    "{{ var('nope') }}", "{{ env_var('NOPE') }}", "{{ env_var('PASSWORD') }}", "{{ ''.__class__.__mro__ }}", "{{ 1/0 }}",
    "{{ range(10**9)|list }}", "{{ 'a' * 10**9 }}", "{{ 9**9**9 }}", "{% for i in range(10**9) %}x{% endfor %}", "{{ '%999999999d' % 1 }}",
    "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{% block b %}{% endblock %}", "{% raw %}", "{% endif %}",
    "{% if %}", "{% for %}", "{% set x %}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ this }}", "{{ target.nope }}",
    "{{ 'x'|nofilter }}", "{{ 1 is notest }}", "{{ (((((1)))) }}", "{{ [1,2][9] }}", "{{ {}['a'] }}", "{{ 'a'.format() }}",
    "{{ '{0.__class__}'.format(1) }}", "{{ self }}", "{{ loop }}", "{{ caller() }}", "{% do 1 %}", "{% break %}", '{{ "\\ud800" }}',
    "{{ " + "(" * 300 + "1" + ")" * 300 + " }}", "{{ " + "not " * 900 + "1 }}", "{% if 1 %}" * 60, "{{ 1 if }}", "{{- -}}", "{{ '\\x00' }}",
    "{{ 'a'|center(10**9) }}", "{{ 'a'|indent(10**9) }}", "{{ [1]|batch(10**9)|list }}", "{{ 'x'|wordwrap(0) }}", "{{ 'a'|replace('', 'b'*999) }}",
    "{{ 'a'|truncate(-1) }}", "{{ 1|round(10**9) }}", "{{ [3,'a']|sort }}", "{{ dict(1) }}", "{{ namespace(1) }}", "{{ range('a') }}", "{{ 'a'|int(base=99) }}",
    "{{ 1|filesizeformat }}", "{{ 'a'|urlize }}", "{{ 'a'|map('nope')|list }}", "{{ x.y.z }}", "{{ ref('users').x() }}", "{{ 'a'|tojson }}", "{{ lipsum(9) }}",
]  # fmt: skip
_SQL = [
    "select", "from", ";", "; drop table users", "--", "/*", "*/", "$$", "'", '"', "::int", "cast(", ")", "(", ",", "order by", "limit -1",
    "union all select 1", "pivot", "with x as (select 1)", "create view v as select 1", "create table", "insert into users values (1)",
    "copy users to 'x.csv'", "attach 'y.db'", "select 1/0", "'a'::int", "error('boom')", "read_csv('nowhere.csv')", "pragma version", "nope.nope.nope",
    "extract(nope from since)", "?", "$1", ":name", "@x", "%", "values ()", "1e999", "'\0'", "(" * 200 + "1" + ")" * 200, "a." * 50 + "b", "begin", "commit",
    "rollback", "export database 'x'", "set threads = 0", "install httpfs", "lateral", "recursive", "*", "exclude (id)", "columns('x')", "\\", "U&'\\dead'",
]  # fmt: skip
_PYTHON = [
    "return", "return None", "return 5", "return 'text'", "return []", "raise ValueError('boom')", "raise SystemExit(3)", "raise StopIteration", "1/0",
    "yield", "await x", "import nowhere_at_all", "import os; os.nope", "def f(", "class", "lambda", "assert False", "raise Exception", "raise BaseException('x')",
    "deps=[", "deps=None,", "deps=['nobody'],", "deps=('users',),", "deps=['users'] * 2,", "name=1,", "requires={'users': 5},", "tags='x',", "nope=1,", "*x", "**{}",
    "@model()", "@model", "@model(deps=[f'{x}'])", "from flowforge import model as m", "from . import x", "from .. import y", "global x", "if True:", "while False:",
    "raise ValueError('\\ud800')", "raise type('E', (Exception,), {'__str__': lambda s: 1/0})()", "return frames", "return frames['users'].iloc[:, :0]",
    "return frames['users'].set_index('id')", "return frames['nope']", "return frames['users'].assign(x=[object()] * len(frames['users']))", "print('x' * 9999)",
    "exit(5)", "del frames", "frames = 1", "(" * 150, "x = " + "-" * 400 + "1", "\x0c", "match x:", "async def f(): ...", "raise MemoryError", "raise RecursionError",
    "import sys; sys.exit('bye')", "def model(): ...", "raise ValueError('\\n' * 99)", "raise ValueError()", "warnings.warn('x')", "import pandas; pandas.nope()",
]  # fmt: skip
_POSTGRES = [
    "; drop table users", "; commit; drop table users; begin", "; rollback; drop table users", "; end", "; abort", "$$", "$tag$", "E'\\'", "U&'\\D83D'",
    "::regclass", "::nope", "cast('x' as date)", "'infinity'::date", "'294276-12-31 24:00'::timestamp", "'0044-03-15 BC'::date", "'24:00'::time", "pg_sleep(0)",
    "nextval('nope')", "; set role pg_monitor", "; set role nobody", "; set search_path = nope", "; set standard_conforming_strings = off", "; set datestyle = german",
    "; set client_encoding = latin1", "; set statement_timeout = 1", "; lock table users", "; listen x", "; notify x", "; prepare transaction 'x'", "; begin",
    "; declare c cursor for select 1", "; copy users to stdout", "copy (select 1) to stdout", "; copy users from stdin", "; truncate users", "; savepoint x",
    "; do $$ begin raise exception 'boom %', 1; end $$", "; do $$ begin raise notice 'x'; end $$", "; create temp table t as select 1 as a", "into nowhere",
    "for update", "returning *", "array[1,'a']", "'{1,2'::int[]", "row(1,2)", "json '{'", "xml '<'", "chr(0)", "repeat('x', 2000000000)", "lo_import('/x')",
    "current_setting('nope')", "'a' as a, 'b' as a", '""', '"' + "x" * 70 + '"', '"a""b"', "interval '1 nope'", "b'2'", "numeric 'NaN'", "0/0.0", "1e400::float",
    "with x as (insert into users values (1) returning *) select * from x", "with x as (delete from users returning id) select id from x", "window w as ()",
    "over ()", "tablesample nope(1)", "collate nope", "at time zone 'nope'", "limit null", "offset -1", "table users", "explain select 1", "call nope()",
    "%(a)s", "\\copy", "/* /* */", "ctid", "xmin", "1 as ctid", "users.*", "(select users from users limit 1)", "null as x", "'x' as x", "lateral (select 1)",
    "pg_read_file('/nowhere')", "dblink('x')", "(select 1, 2)", "(select id from users union all select 1)", "generate_series(1, 0)", "unnest(array[1])", "as \u202e",
]  # fmt: skip
_CSV = [
    ",", ",,,,,,", '"', '""', "\n", "\n\n\n", ";", "\t", "|", "id", "id,id", "NA", "null", "x" * 70_000, "'", "\\", "\\N", "#", "=1+1", "2026-13-45", "99999999999999999999",
    "1e999", "true", "007", "1.5", "1,5", '"unclosed', "a\rb", '"a""', " ", "\x1a", "\u2028", "id,name,since,note", "\0",
]  # fmt: skip
_POSTGRES_CSV = [
    '5" x', "\\.", "infinity", "-infinity", "now", "today", "allballs", "epoch", "0044-03-15 BC", "0000-01-01", "99999-01-01", "294277-01-01", "24:00", "23:59:60",
    "2026-01-01T00:00:00+25:00", "2026-01-01 00:00:00 Nope/Where", "{1,2}", "t", "yes", "1e131073", "1_000", "0x1F", "ctid,b,c,d", "xmin", "tableoid", "x" * 64, "é" * 40,
]  # fmt: skip
_ENV = [
    "A",
    "=",
    "A=",
    "=b",
    "A=b=c",
    "A='",
    'A="x',
    "export A=b",
    "A=$B",
    "A=${A}",
    "#",
    "FF_ENGINE=nope",
    "FF_DUCKDB_PATH=",
    "A\0=b",
    "FUZZ_DB=/nowhere/at/all.duckdb",
    "FUZZ_DB=project.yml",
]


def mutators(kind: str) -> Sequence[Mutator]:
    """Return the mutators for a kind of file, those that know its language twice as often."""
    special = _SPECIAL.get(kind, ())
    return (*_GENERAL, *(special * 6))


def mutate(rng: random.Random, kind: str, data: bytes) -> bytes:
    """Return the file with one to four things wrong."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        data = rng.choice(mutators(kind))(rng, data)
    return data[:5_000_000]


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 1, 2, 5, 20, 200)))


def _flip(rng: random.Random, data: bytes) -> bytes:
    if not data:
        return b"\0"
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _cut(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[end:]


def _double(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 1, 3, 100)) + data[end:]


def _truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _insert(words: Sequence[bytes]) -> Mutator:
    def inserted(rng: random.Random, data: bytes) -> bytes:
        at = rng.randint(0, len(data))
        return data[:at] + rng.choice(words) + data[at:]

    return inserted


def _insert_line(words: Sequence[str]) -> Mutator:
    def inserted(rng: random.Random, data: bytes) -> bytes:
        lines = data.split(b"\n")
        at = rng.randint(0, len(lines))
        near = lines[min(at, len(lines) - 1)]
        indent = near[: len(near) - len(near.lstrip())]
        return b"\n".join([*lines[:at], indent + _encoded(rng.choice(words)), *lines[at:]])

    return inserted


def _replace_word(words: Sequence[str]) -> Mutator:
    """Put a word in the place of a token."""

    def replaced(rng: random.Random, data: bytes) -> bytes:
        ends = [i for i, byte in enumerate(data) if byte in b" ,\n:()[]{}'\"="]
        if len(ends) < 2:
            return _encoded(rng.choice(words))
        at = rng.randrange(len(ends) - 1)
        return data[: ends[at] + 1] + _encoded(rng.choice(words)) + data[ends[at + 1] :]

    return replaced


def _whole(words: Sequence[str]) -> Mutator:
    """Leave of a query its first line if that is its settings, and select a word, which so comes past the parser."""

    def selected(rng: random.Random, data: bytes) -> bytes:
        first = data.partition(b"\n")[0]
        kept = first + b"\n" if b"config(" in first else b""
        forms = ("select 1 as id, {} as name\n", "select 1 as id, 'a' as name where {}\n", "select * from {}\n", "{}\n")
        return kept + _encoded(rng.choice(forms).format(rng.choice(words)))

    return selected


def _swap_lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def _indent(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    lines[at] = rng.choice((b" ", b"  ", b"\t", b"        ")) + lines[at] if rng.random() < 0.7 else lines[at].lstrip()
    return b"\n".join(lines)


def _recode(rng: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(
        rng.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-7", "utf-8-sig")), "replace"
    )


def _newlines(rng: random.Random, data: bytes) -> bytes:
    return data.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\r", b"\0\n", b"\xe2\x80\xa8")))


def _other(rng: random.Random, data: bytes) -> bytes:
    return rng.choice(
        (b"", b"\n", b" ", b"\0" * 100, b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"{}", b"[]", rng.randbytes(200))
    )


def _encoded(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")


_GENERAL: tuple[Mutator, ...] = (
    _flip, _cut, _double, _truncate, _insert(_BYTES), _insert(list(map(_encoded, _TEXTS))), _swap_lines, _indent, _recode, _newlines, _other,
)  # fmt: skip


def _words(*lists: Sequence[str]) -> tuple[Mutator, ...]:
    words = [word for each in lists for word in each]
    return (_insert(list(map(_encoded, words))), _replace_word(words), _insert_line(words))


_SPECIAL: dict[str, tuple[Mutator, ...]] = {
    "yaml": _words(_YAML, _NUMBERS),
    "sql": _words(_SQL, _JINJA),
    "jinja": _words(_JINJA),
    "python": _words(_PYTHON),
    "csv": _words(_CSV, _NUMBERS),
    "env": _words(_ENV),
    "postgres": (*_words(_SQL, _POSTGRES), *[_whole([*_SQL, *_POSTGRES])] * 3),
    "postgres csv": _words(_CSV, _NUMBERS, _POSTGRES_CSV),
    "parquet": (odd_table,),
}
