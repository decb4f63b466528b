from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flowforge_bootstrap.plugins import Plugins, load_plugins
from flowforge_bootstrap.profiles import EnvSettings, choose_profile, profile_union
from flowforge_bootstrap.project import open_project
from flowforge_domain.errors import ConfigError, PluginError, ProfileError
from flowforge_domain.text import Location
from flowforge_ports.project import ProfileEntry


def entry(line=1, fault="", **settings):
    lines = {("engine",): line + 1, ("sqlite",): line + 2, ("sqlite", "path"): line + 3}
    return ProfileEntry(settings, Location("profiles.yml", line), lines, fault)


SQLITE = entry(engine="sqlite", sqlite={"path": "a.db"})


def choose(entries, name=None, engine=None, **environment):
    return choose_profile(entries, load_plugins(), environment, name, engine)


def used_profile(folder, env=None):
    workspace = open_project(folder, env).workspace
    return workspace.profile(workspace.ports())


def refused(*arguments, **more):
    with pytest.raises(ConfigError) as caught:
        choose(*arguments, **more)
    assert len(str(caught.value).splitlines()) <= 15
    return str(caught.value)


class TestWhich:
    def test_the_named_one(self):
        assert choose({"default": SQLITE, "dev": SQLITE}, "dev").name == "dev"

    def test_none_named_default_then_the_only_one(self):
        assert choose({"default": SQLITE, "dev": SQLITE}).name == "default"
        assert choose({"dev": SQLITE}).name == "dev"

    def test_none_named_and_several(self):
        assert refused({"b": SQLITE, "a": SQLITE}) == (
            "profiles.yml: There are several profiles and none is named 'default'.\nAdd --env with one of: a, b."
        )

    def test_unknown_lists_the_known_once(self):
        assert refused({"default": SQLITE, "dev": SQLITE}, "prod") == (
            "profiles.yml: There is no profile 'prod'.\nKnown: default, dev."
        )

    def test_unknown_gives_the_nearest_and_the_list(self):
        text = refused({"default": SQLITE, "staging": SQLITE}, "stagin")
        assert text.endswith("Did you mean 'staging'? Known: default, staging.")

    def test_no_file(self):
        assert refused({}).startswith("The project has no profiles.yml.")
        assert "There is no profile 'dev'" in refused({}, "dev")


class TestEngine:
    def test_another_engine_needs_its_settings(self):
        assert refused({"default": SQLITE}, engine="duckdb") == (
            "profiles.yml:1: Profile 'default' has no settings for engine 'duckdb'.\n"
            "Add duckdb: {…} to it, or set FF_DUCKDB_PATH."
        )

    def test_another_engine_with_settings_beside(self):
        both = entry(engine="sqlite", sqlite={"path": "a.db"}, duckdb={"path": "b.duckdb"})
        assert choose({"default": both}).settings.sqlite.path == "a.db"
        assert choose({"default": both}, engine="duckdb").settings.duckdb.path == "b.duckdb"
        assert choose({"default": both}, FF_ENGINE="duckdb").spec.name == "duckdb"
        assert choose({"default": both}, engine="sqlite", FF_ENGINE="duckdb").spec.name == "sqlite"

    def test_one_that_is_not_installed_names_its_line(self):
        with pytest.raises(PluginError, match=r"profiles.yml:2: There is no engine 'oracle'"):
            choose({"default": entry(engine="oracle", oracle={})})

    def test_a_profile_of_one_that_is_not_installed_can_be_overridden(self):
        foreign = entry(engine="oracle", oracle={"dsn": "x"})
        chosen = choose({"default": foreign}, FF_ENGINE="sqlite", FF_SQLITE_PATH="x.db")
        assert chosen.settings.sqlite.path == "x.db"

    def test_none_at_all(self):
        assert "names no engine" in refused({"default": entry(sqlite={})})

    def test_an_engine_and_the_environment_need_no_file(self):
        assert choose({}, engine="sqlite", FF_SQLITE_PATH="x.db").settings.sqlite.path == "x.db"


def test_the_dialect_names_the_schema_that_a_setting_chooses():
    plain = load_plugins().engine("sqlite")
    spec = replace(plain, schema=("sqlite", "path"), dialect=replace(plain.dialect, qualifies=True))
    found = choose_profile({"default": SQLITE}, Plugins({"sqlite": [("here", spec)]}), {})
    assert (found.dialect.default_schema, spec.dialect.default_schema) == ("a.db", "main")
    assert found.target == {"name": "default", "engine": "sqlite", "schema": "a.db"}


def test_the_schema_of_a_target_is_spelt_as_models_spell_it():
    plain = load_plugins().engine("sqlite")
    spec = replace(plain, schema=("sqlite", "path"), dialect=replace(plain.dialect, folds_up=True))
    plugins = Plugins({"sqlite": [("here", spec)]})
    for path, schema in (("PUBLIC", "public"), ("Public", "Public")):
        assert (
            choose_profile({"default": entry(engine="sqlite", sqlite={"path": path})}, plugins, {}).target["schema"]
            == schema
        )


class TestVariants:
    def test_a_setting_hands_over_to_another_engine(self):
        assert self.chosen(path="a.db").spec.name == "sqlite+fast"
        assert self.chosen(path="a.db").settings.sqlite.path == "a.db"

    def test_another_value_does_not(self):
        assert self.chosen(path="b.db").spec.name == "sqlite"

    def test_one_that_is_not_installed_is_told_in_one_line_with_its_place(self):
        entries = {"default": entry(engine="sqlite", sqlite={"path": "a.db"})}
        with pytest.raises(PluginError) as caught:
            choose_profile(entries, self.plugins("bigquery+bigframes"), {})
        assert str(caught.value) == (
            "profiles.yml:4: Engine 'bigquery+bigframes' is not installed: pip install \"flowforge[bigframes]\""
        )

    def test_one_is_never_an_engine_by_itself(self):
        with pytest.raises(ProfileError) as caught:
            choose_profile({"default": entry(engine="sqlite+fast")}, self.plugins("sqlite+fast"), {})
        assert caught.value.message == "'sqlite+fast' is the engine 'sqlite' with `path: \"a.db\"`."
        assert caught.value.hint == 'Write engine: sqlite, and path: "a.db" below sqlite.'

    def chosen(self, **settings):
        return choose_profile({"default": entry(engine="sqlite", sqlite=settings)}, self.plugins("sqlite+fast"), {})

    def plugins(self, variant):
        spec = load_plugins().engine("sqlite")
        known = {
            "sqlite": replace(spec, variants={("sqlite", "path"): {"a.db": variant}}),
            "sqlite+fast": replace(spec, name="sqlite+fast"),
        }
        return Plugins({name: [("here", found)] for name, found in known.items()})


class TestOverrides:
    def test_over_the_file(self):
        assert choose({"default": SQLITE}, FF_SQLITE_PATH="other.db").settings.sqlite.path == "other.db"

    def test_an_empty_variable_is_none(self):
        assert choose({"default": SQLITE}, FF_SQLITE_PATH="", FF_ENGINE="").settings.sqlite.path == "a.db"

    def test_a_misspelt_one_is_refused_and_one_of_the_users_own_is_not(self):
        said = refused({"default": SQLITE}, FF_SQLITE_PTH="other.db")
        assert said.splitlines() == [
            "The environment variable 'FF_SQLITE_PTH' is no setting of sqlite.",
            "Did you mean 'FF_SQLITE_PATH'? Rename it, or unset it.",
        ]
        own = {"FF_SQLITE_PATH_OLD": "x", "FF_SQLITE_FOLDER": "x", "SQLITE_PATH": "x"}
        assert choose({"default": SQLITE}, **own).settings.sqlite.path == "a.db"

    def test_the_entry_itself_is_not_changed(self):
        choose({"default": SQLITE}, FF_SQLITE_PATH="other.db")
        assert SQLITE.settings["sqlite"] == {"path": "a.db"}

    def test_a_setting_that_is_no_mapping_stays_wrong(self):
        assert "must be a mapping" in refused({"default": entry(engine="sqlite", sqlite="x")}, FF_SQLITE_PATH="y")


class TestValidation:
    def test_a_misspelt_engine_key_is_named(self):
        assert "Did you mean 'engine' by 'engin'?" in refused({"default": entry(engin="sqlite")})

    def test_unknown_key_with_line_and_nearest(self):
        text = refused({"default": entry(engine="sqlite", sqlite={"pth": "hunter2"})})
        assert text == "profiles.yml:3: Profile 'default': Unknown key 'sqlite.pth'.\nDid you mean 'path'?"

    def test_unknown_key_at_the_top(self):
        text = refused({"default": entry(engine="sqlite", sqlte={"path": "hunter2"})})
        assert text.endswith("Unknown key 'sqlte'.\nDid you mean 'sqlite'?")

    @pytest.mark.parametrize("settings", [{"timeout": "hunter2"}, {"path": ["hunter2"]}, "hunter2", {"path": 7}])
    def test_the_value_is_never_shown(self, settings):
        text = refused({"default": entry(engine="sqlite", sqlite=settings)})
        assert text.startswith("profiles.yml:")
        assert "hunter2" not in text

    def test_the_line_of_the_setting_itself(self):
        assert refused({"default": entry(engine="sqlite", sqlite={"path": 7})}).startswith("profiles.yml:4: ")

    def test_the_cause_with_the_value_is_not_chained(self):
        with pytest.raises(ProfileError) as caught:
            choose({"default": entry(engine="sqlite", sqlite={"path": ["hunter2"]})})
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    def test_a_fault_is_one_only_in_the_profile_that_is_used(self):
        faulty = replace(entry(9, "The environment variable 'PW' is not set."), fix="Set it in your shell or .env.")
        entries = {"default": SQLITE, "prod": faulty}
        assert choose(entries).name == "default"
        assert refused(entries, "prod") == (
            "profiles.yml:9: Profile 'prod': The environment variable 'PW' is not set.\nSet it in your shell or .env."
        )

    def test_a_profile_shows_none_of_its_settings(self):
        assert "a.db" not in repr(choose({"default": SQLITE}))

    def test_the_union_tells_engines_apart(self):
        from pydantic import TypeAdapter

        plugins = load_plugins()
        union = TypeAdapter(profile_union([plugins.engine("sqlite"), plugins.engine("duckdb")]))
        assert type(union.validate_python({"engine": "duckdb", "duckdb": {"path": "x"}})).__name__ == "DuckDBProfile"


class TestEnvironment:
    def test_the_process_wins_over_the_file(self, tmp_path, monkeypatch):
        (tmp_path / ".env").write_text("FF_A=file\nexport FF_B='quoted'\n# note\nFF_C\n")
        monkeypatch.setenv("FF_A", "process")
        variables = EnvSettings.of(tmp_path).variables
        assert (variables["FF_A"], variables["FF_B"]) == ("process", "quoted")
        assert "FF_C" not in variables

    def test_no_file(self, tmp_path, monkeypatch):
        monkeypatch.setenv("FF_A", "process")
        assert EnvSettings.of(tmp_path).variables["FF_A"] == "process"

    def test_a_file_that_is_no_text(self, tmp_path):
        (tmp_path / ".env").write_bytes(b"A=\xff\xfe")
        with pytest.raises(ConfigError, match=r"^\.env: The file cannot be read"):
            EnvSettings.of(tmp_path)

    def test_it_shows_no_values(self, monkeypatch):
        monkeypatch.setenv("PASSWORD", "hunter2")
        assert "hunter2" not in repr(EnvSettings())


class TestInAProject:
    def test_a_path_is_relative_to_the_project(self, shop, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FF_SQLITE_PATH", "elsewhere/x.db")
        open_project("shop").seed()
        assert (shop / "elsewhere" / "x.db").is_file()
        assert not Path("elsewhere").exists()

    def test_dot_env_is_read(self, shop):
        (shop / ".env").write_text("FF_SQLITE_PATH=from_env.db\n")
        open_project(shop).seed()
        assert (shop / "from_env.db").is_file()

    def test_env_var_is_missing_only_where_it_is_used(self, shop):
        text = (shop / "profiles.yml").read_text()
        (shop / "profiles.yml").write_text(
            f"{text}prod:\n  engine: sqlite\n  sqlite: {{path: \"{{{{ env_var('NO_DB') }}}}\"}}\n"
        )
        assert used_profile(shop).name == "default"
        with pytest.raises(ProfileError, match="NO_DB"):
            used_profile(shop, "prod")
