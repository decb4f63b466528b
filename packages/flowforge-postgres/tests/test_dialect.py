"""The dialect's words, compared with what PostgreSQL says of its own functions."""

from __future__ import annotations

import pytest

from flowforge_domain.sql_scan import volatile_forms
from flowforge_postgres.dialect import POSTGRES

# They give the same but for the time zone, date style, locale, text search or encoding of the session, as casts do.
FORMATS = """
    array_to_json array_to_string concat concat_ws convert convert_from convert_to date date_add date_part
    date_subtract date_trunc extract format in_range json_build_array json_build_object json_populate_record
    json_to_record json_to_tsvector jsonb_build_array jsonb_build_object jsonb_path_exists_tz
    jsonb_path_match_tz jsonb_path_query_array_tz jsonb_path_query_first_tz jsonb_populate_record
    jsonb_populate_record_valid jsonb_to_record jsonb_to_tsvector length make_timestamptz money numeric overlaps
    phraseto_tsquery plainto_tsquery quote_literal quote_nullable row_to_json time timestamp timestamptz timetz
    timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector ts_headline
    websearch_to_tsquery xml xml_is_well_formed generate_series json_populate_recordset json_to_recordset
    jsonb_path_query_tz jsonb_populate_recordset jsonb_to_recordset regclass ts_match_tq ts_match_tt
    interval_pl_timestamptz
"""
# Of operators, planning and storage: what no query calls by its name.
INNER = (
    r"sel$|(handler|finalfn|analyze|validator|_wrapper)$|^(any)?text(any)?cat$|anytextcat|^bernoulli$|^system$"
    r"|_(cmp|eq|ne|lt|le|gt|ge|mi|pl)_"
)
FUNCTIONS = f"""
    select distinct proname from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and provolatile <> 'i' and prokind = 'f'
    and prorettype::regtype::text not in ('trigger', 'event_trigger', 'internal', 'cstring')
    and proname !~ '(send|recv|in|out)$' and proname !~ '{INNER}'
"""


def test_what_the_engine_does_not_call_immutable_is_volatile(engine):
    names = {name for (name,) in engine.session.query(FUNCTIONS).rows}
    assert len(names) > 200
    silent = {name for name in names if not volatile_forms(POSTGRES.volatile).fullmatch(f"{name}()")}
    assert silent - set(FORMATS.split()) == set()


@pytest.mark.parametrize("word", ["user", "current_catalog", "current_schema", "session_user", "system_user"])
def test_words_of_the_session_are_volatile(engine, word):
    assert engine.session.query(f"select {word}").rows
    assert volatile_forms(POSTGRES.volatile).fullmatch(word)
