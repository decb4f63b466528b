"""The suite is only worth something if it can fail: engines broken on purpose, each found by the case meant for it."""

from __future__ import annotations

import textwrap

import pytest

pytest_plugins = ["pytester"]

HEADER = """
    from __future__ import annotations

    from contextlib import nullcontext
    from dataclasses import replace

    import pytest
    from flowforge_domain.capability import Capability
    from flowforge_domain.errors import EngineError, SeedError
    from flowforge_testkit.conformance import EngineConformance
    from flowforge_testkit.sqlite import engine as sqlite
    from flowforge_testkit.sqlite.plugin import SPEC
    from flowforge_testkit.sqlite.settings import SqliteProfile
"""
SUITE = """
    class TestBroken(EngineConformance):
        names_sample = 1
        interrupt_within = {within}
        {excused}

        @pytest.fixture
        def spec(self):
            return replace(SPEC, open=f"{__name__}:open_broken")

        @pytest.fixture
        def profile(self):
            return SqliteProfile.model_validate({"engine": "sqlite", "sqlite": {"path": "test.db"}})
"""


def adapter_tests(broken: str, excused: dict[str, str], within: float = 60, as_what: str = "unproved") -> str:
    suite = SUITE.replace("{excused}", f"{as_what} = {excused}").replace("{within}", str(within))
    return "\n".join(textwrap.dedent(block) for block in (HEADER, broken, suite))


@pytest.fixture
def outcome(pytester: pytest.Pytester):
    def run(broken: str, only: str, excused: dict[str, str] | None = None, as_what: str = "unproved") -> dict[str, int]:
        pytester.makepyfile(adapter_tests(broken, excused or {}, as_what=as_what))
        found = pytester.runpytest("-q", "-p", "no:cacheprovider", "-o", "xfail_strict=true", "-k", only)
        return found.parseoutcomes()

    return run


def session_with(method: str) -> str:
    """Return an engine whose session has one method of its own."""
    return f"""
    class Broken(sqlite.SqliteSession):
        {method}

    def open_broken(profile, root, claim):
        opened = sqlite.open_engine(profile, root, claim)
        session = Broken(opened.session.connection)
        return replace(opened, session=session, catalog=sqlite.SqliteCatalog(session))
    """


def engine_with(changes: str) -> str:
    """Return an engine with other ports."""
    return f"""
    def open_broken(profile, root, claim):
        opened = sqlite.open_engine(profile, root, claim)
        return replace(opened, {changes})
    """


SAME = "type('Same', (), {'versions': lambda self, names: dict.fromkeys(names, 'v'), 'vouch': lambda self: None})()"
BROKEN = {
    "one-version-for-ever": (engine_with(f"sources={SAME}"), "test_version_of_a_source"),
    "rollback-does-nothing": (session_with("def rollback(self): pass"), "test_failed_build_leaves_the_old_table"),
    "rollback-commits": (
        session_with("def rollback(self): self.connection.commit()"),
        "test_state_is_undone_with_the_data",
    ),
    "begin-does-nothing": (
        session_with("def begin(self): pass\n        def commit(self): pass"),
        "test_reader_never_sees",
    ),
    "replaces-in-pieces": (
        session_with("def begin(self): pass\n        def commit(self): pass"),
        "test_fault_at_any_step_of_a_sql_model",
    ),
    "cancelled-without-its-kind": (
        session_with(
            """def query(self, sql):
            try:
                return super().query(sql)
            except EngineError as error:
                raise EngineError(error.message) from error"""
        ),
        "test_interrupt_cancels and query",
    ),
    "errors-not-translated": (
        session_with("def query(self, sql): return self.connection.execute(sql)"),
        "test_error_is_chained",
    ),
    "rows-miscounted": (session_with("def execute(self, sql): super().execute(sql); return 7"), "test_execute_tells"),
    "a-helper-that-nobody-knows": (
        engine_with(
            "dialect=replace(opened.dialect, swaps=True), replacer=type('Own', (), {'replacing': "
            "lambda self, relation, kind: nullcontext('ff_tmp')})()"
        ),
        "test_what_is_built_beside_has_a_name",
    ),
    "views-break-unseen": (
        engine_with("late_views=type('Own', (), {'keeping': lambda self, relation, renewals: nullcontext()})()"),
        "test_view_on_a_table_that_is_replaced",
    ),
    "lock-holds-nothing": (engine_with("lock=sqlite.SqliteLock(':memory:', 'memory')"), "test_lock_keeps"),
    "names-unquoted": (
        engine_with("dialect=replace(opened.dialect, quote='')"),
        "test_table_of_any_name_is_found_or_refused",
    ),
    "csv-seeds-work-though-declined": (
        engine_with("capabilities=opened.capabilities - {Capability.CSV_SEEDS}"),
        "test_seed_header_of_any_name",
    ),
    "python-models-work-though-declined": (
        engine_with("capabilities=opened.capabilities - {Capability.PYTHON_MODELS}"),
        "test_empty_frame_keeps_its_columns",
    ),
    "python-models-declared-but-absent": (engine_with("frames=None"), "test_empty_frame_keeps_its_columns"),
    "parquet-declared-but-absent": (
        engine_with("capabilities=frozenset(Capability)"),
        "test_parquet_that_is_none_is_refused_by_name",
    ),
}


@pytest.mark.parametrize(("broken", "case"), BROKEN.values(), ids=BROKEN)
def test_broken_engine_is_found(outcome, broken, case):
    found = outcome(broken, f"{case} or test_close_twice_is_allowed")
    assert found.get("failed", 0) + found.get("errors", 0) >= 1
    assert found["passed"] == 1, "only closing works"


def test_sound_engine_passes_the_same_cases(outcome):
    sound = engine_with("name='sqlite'")
    found = outcome(sound, " or ".join(sorted({case for _, case in BROKEN.values()})))
    assert found.get("failed", 0) + found.get("errors", 0) == 0
    assert found["passed"] >= len({case for _, case in BROKEN.values()}) - 1


def test_declined_port_that_is_absent_is_an_expected_failure(outcome):
    declined = engine_with("frames=None, capabilities=opened.capabilities - {Capability.PYTHON_MODELS}")
    found = outcome(declined, "frame and not second")
    assert found["xfailed"] >= 10
    assert "failed" not in found


DEAF = {
    "does-nothing": ("pass", "did not end the statement within 0.5 s"),
    "does-not-return": ("__import__('threading').Event().wait()", "did not end the statement within 0.5 s"),
    "fails": ("raise EngineError('nobody is there')", "EngineError: nobody is there"),
}


@pytest.mark.parametrize(("interrupt", "told"), DEAF.values(), ids=DEAF)
def test_a_statement_that_cannot_be_interrupted_does_not_hold_the_kit(pytester, interrupt, told):
    """It runs for hours, and closing its session waits for it: in a process of its own, which must end."""
    broken = session_with(f"def interrupt(self): {interrupt}")
    pytester.makepyfile(adapter_tests(broken, {}, within=0.5))
    only = "test_interrupt and query or test_close_twice or test_commit_keeps"
    found = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-k", only, timeout=60)
    assert {key: found.parseoutcomes()[key] for key in ("failed", "passed")} == {"failed": 1, "passed": 2}
    assert "errors" not in found.parseoutcomes()
    found.stdout.fnmatch_lines([f"*{told}*"])


GUARANTEES = {
    "ATOMIC_REPLACE": "test_failed_build_leaves_the_old_table",
    "TRANSACTIONAL_STATE": "test_state_is_undone_with_the_data",
    "TRANSACTIONAL_SEEDS": "test_bad_seed_leaves_every_earlier_table",
    "CONCURRENT_SESSIONS": "test_second_session_sees",
}


@pytest.mark.parametrize(("name", "case"), GUARANTEES.items())
def test_a_guarantee_that_is_declined_proves_nothing(outcome, name, case):
    """Its cases are not run, and count as neither passed nor failed."""
    found = outcome(engine_with(f"capabilities=opened.capabilities - {{Capability.{name}}}"), case)
    assert found == {"xfailed": 1, "deselected": found["deselected"]}


def test_declined_views_are_refused_by_the_use_case_and_not_claimed_elsewhere(outcome):
    declined = engine_with("capabilities=opened.capabilities - {Capability.VIEWS}")
    found = outcome(declined, "test_view_model_runs or test_relations_tells_views_from_tables")
    assert found == {"xfailed": 2, "deselected": found["deselected"]}


SOUND = engine_with("name='sqlite'")
FAILING = session_with("def label(self, labels): raise EngineError('no such thing')")
LABELS = "test_labels_change_nothing_whatever_they_hold"
VALUES = "test_values_survive_table_and_frame"


@pytest.mark.parametrize("as_what", ["unproved", "limits"])
def test_what_cannot_be_proved_here_or_does_not_hold_is_an_expected_failure(outcome, as_what):
    found = outcome(FAILING, LABELS, {LABELS: "there are no labels"}, as_what)
    assert found == {"xfailed": 1, "deselected": found["deselected"]}


@pytest.mark.parametrize("as_what", ["unproved", "limits"])
def test_what_holds_after_all_fails(outcome, as_what):
    found = outcome(SOUND, LABELS, {LABELS: "there are no labels"}, as_what)
    assert found == {"failed": 1, "deselected": found["deselected"]}


def test_one_of_many_may_be_unproved(outcome):
    """All pass, so that only the named one fails: by its strictness."""
    found = outcome(SOUND, VALUES, {f"{VALUES}[dates]": "the emulator has no dates"})
    assert found["failed"] == 1
    assert found["passed"] >= 10


def test_an_unproved_case_tries_every_name(outcome):
    """That it fails at one of them is what is said of it, and one of a few may be another."""
    refusing = session_with(
        """def execute(self, sql):
            if '`order`' in sql:
                raise EngineError("not this one")
            return super().execute(sql)"""
    )
    case = "test_table_of_any_name_is_found_or_refused"
    assert outcome(refusing, case)["passed"] == 1
    assert outcome(refusing, case, {case: "the emulator cannot order"})["xfailed"] == 1


@pytest.mark.parametrize("as_what", ["unproved", "limits"])
def test_names_that_hold_a_text_may_be_excused_and_must_be_so(outcome, as_what):
    """The others are proved all the same."""
    refusing = session_with(
        """def execute(self, sql):
            if '`order`' in sql:
                raise EngineError("not this one")
            return super().execute(sql)"""
    )
    case = "test_table_of_any_name_is_found_or_refused"
    excused = {f"{case}[holding order]": "it cannot order"}
    found = outcome(refusing, case, excused, as_what)
    assert (found["passed"], found["xfailed"]) == (1, 1)
    found = outcome(SOUND, case, excused, as_what)
    assert (found["passed"], found["failed"]) == (1, 1)


def test_the_first_names_that_are_wrong_are_told_together(pytester, monkeypatch):
    """Of two that fail both are told, and of very many ten; what one leaves behind is not the next one's fault."""
    monkeypatch.setenv("FLOWFORGE_NIGHTLY", "1")
    case = "test_table_of_any_name_is_found_or_refused"

    def told(condition):
        refusing = f"""def execute(self, sql):
            done = super().execute(sql)
            if sql.startswith('create table') and ({condition}):
                raise EngineError("not this one")
            return done"""
        pytester.makepyfile(adapter_tests(session_with(refusing), {}))
        return pytester.runpytest("-q", "-p", "no:cacheprovider", "-k", case).stdout

    told("'`order`' in sql or '`select`' in sql").fnmatch_lines(
        ["E *AssertionError: 2 names are wrong:", "E *'select': not this one", "E *'order': not this one"],
        consecutive=True,
    )
    told("'tripwire' not in sql").fnmatch_lines(["E *AssertionError: the first 10 names that are wrong:"])


def test_a_name_that_cannot_be_got_rid_of_is_told_alone(pytester, monkeypatch):
    monkeypatch.setenv("FLOWFORGE_NIGHTLY", "1")
    staying = session_with("def execute(self, sql): return 0 if 'drop table `order`' in sql else super().execute(sql)")
    pytester.makepyfile(adapter_tests(staying, {}))
    found = pytester.runpytest("-q", "-p", "no:cacheprovider", "-k", "test_table_of_any_name")
    found.stdout.fnmatch_lines(["E *AssertionError: 1 name is wrong:"])


@pytest.mark.parametrize("as_what", ["unproved", "limits"])
def test_an_id_that_does_not_exist_is_an_error(outcome, as_what):
    assert outcome(SOUND, "test_labels", {f"{VALUES}[nonsense]": "because"}, as_what)["errors"] == 1


class Standard:
    """Subclasses made in a test, without being collected."""

    @staticmethod
    def subclass(**members):
        from flowforge_testkit.conformance import EngineConformance

        return type("TestMine", (EngineConformance,), members)


@pytest.mark.parametrize(
    "members",
    [
        {"test_commit_keeps_the_work": lambda self: None},
        {"test_commit_keeps_the_work": None},
        {"test_the_suite_is_whole": lambda self: None},
        {"pytestmark": pytest.mark.skip(reason="later")},
        {"pytestmark": [pytest.mark.xfail]},
    ],
    ids=["overridden", "deleted", "watchman-overridden", "skipped", "expected-to-fail"],
)
def test_changing_a_standard_case_is_refused(members):
    with pytest.raises(TypeError, match=r"standard cases"):
        Standard.subclass(**members)


def test_who_changes_a_standard_case_is_told_all_ways_out():
    said = r"no capability .* `limits = \{\"test_commit_keeps_the_work\": \"why\"\}`.* `unproved = \{…\}`"
    with pytest.raises(TypeError, match=said):
        Standard.subclass(test_commit_keeps_the_work=None)


@pytest.mark.parametrize("named", [{"test_no_such_case": "why"}, {"test_commit_keeps_the_work": " "}])
@pytest.mark.parametrize("as_what", ["unproved", "limits"])
def test_what_is_excused_needs_a_standard_case_and_a_reason(as_what, named):
    with pytest.raises(TypeError, match=rf"TestMine\.{as_what} "):
        Standard.subclass(**{as_what: named})


def test_a_case_does_not_hold_or_cannot_be_proved_but_not_both():
    both = {"test_commit_keeps_the_work": "why"}
    with pytest.raises(TypeError, match=r"names test_commit_keeps_the_work in both"):
        Standard.subclass(unproved=both, limits=both)


def test_a_case_taken_away_later_is_found():
    mine = Standard.subclass()
    mine.test_commit_keeps_the_work = None
    with pytest.raises(TypeError, match="test_commit_keeps_the_work"):
        mine().test_the_suite_is_whole()


def test_own_cases_may_be_added():
    assert Standard.subclass(test_mine=lambda self: None)


BROKEN_SPECS = {
    "name-of-two-words": ("name='my engine'", "test_its_name_is_a_plain_word"),
    "variant-of-nothing": ("name='sqlite+lost'", "test_a_setting_leads_to_a_variant"),
    "variant-of-another": ("variants={('sqlite', 'path'): {'x': 'duckdb+x'}}", "test_a_setting_leads_to_a_variant"),
    "newer-ports": ("api=99", "test_it_is_written_for_these_ports"),
}


@pytest.mark.parametrize(("change", "case"), BROKEN_SPECS.values(), ids=BROKEN_SPECS)
def test_a_broken_spec_is_found(pytester, change, case):
    pytester.makepyfile(f"""
        from dataclasses import replace

        import pytest
        from flowforge_testkit.conformance import PluginConformance
        from flowforge_testkit.sqlite.plugin import SPEC

        class TestBroken(PluginConformance):
            @pytest.fixture
            def spec(self):
                return replace(SPEC, {change})
    """)
    found = pytester.runpytest("-q", "-p", "no:cacheprovider", "-k", case).parseoutcomes()
    assert found["failed"] == 1
