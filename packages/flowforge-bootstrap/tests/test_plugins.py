from __future__ import annotations

from importlib.metadata import version

import pytest

from flowforge_bootstrap.plugin_faults import Broken
from flowforge_bootstrap.plugins import Plugins, load_plugins, resolve
from flowforge_domain.errors import PluginError

ENGINE = """
from dataclasses import replace
from flowforge_ports.hooks import hookimpl
from flowforge_testkit.sqlite.plugin import SPEC

@hookimpl
def flowforge_engines():
    return [replace(SPEC, name={name!r}, distribution={distribution!r})]
"""


def test_what_is_installed_is_found():
    plugins = load_plugins()
    assert plugins.engine("sqlite").distribution == "flowforge-testkit"
    assert plugins.project().name == "folder"
    assert plugins.site().open.startswith("flowforge_docs_html")
    assert plugins.broken == []


def test_the_versions_are_told_of_what_builds():
    assert load_plugins().versions("duckdb") == {"duckdb": ("flowforge-duckdb", version("flowforge-duckdb"))}
    assert load_plugins().versions("nobody") == {}


def test_a_strangers_engine_comes_through_the_same_door(install):
    install("their-engine", "theirs", ENGINE.format(name="theirs", distribution="their-engine"))
    assert load_plugins().engine("theirs").distribution == "their-engine"


class TestBroken:
    def test_it_is_remembered_and_takes_nothing_down(self, install):
        install("bad-engine", "bad", "import no_such_driver_at_all\n")
        plugins = load_plugins()
        place = "site-packages/bad_engine_plugin.py, line 1"
        reason = f"ModuleNotFoundError: No module named 'no_such_driver_at_all' ({place})"
        fix = "Install the package that gives the module 'no_such_driver_at_all'."
        assert plugins.broken == [Broken("bad", "bad-engine", reason, fix)]
        assert plugins.engine("sqlite").name == "sqlite"

    def test_it_is_reported_when_it_is_asked_for(self, install):
        install("bad-engine", "bad", "raise RuntimeError('first line\\nsecond line')\n")
        with pytest.raises(PluginError, match=r"^Plugin 'bad' cannot be used: RuntimeError: first line \(") as caught:
            load_plugins().engine("bad")
        assert caught.value.hint == "Correct that line, or report it to the authors of bad-engine."

    def test_a_hook_that_raises(self, install):
        code = "from flowforge_ports.hooks import hookimpl\n@hookimpl\ndef flowforge_engines():\n    return 1 / 0\n"
        install("bad-engine", "bad", code)
        plugins = load_plugins()
        place = "site-packages/bad_engine_plugin.py, line 4"
        assert [one.reason for one in plugins.broken] == [f"ZeroDivisionError: division by zero ({place})"]
        assert "sqlite" in plugins.engines

    def test_a_hook_that_returns_nonsense(self, install):
        code = "from flowforge_ports.hooks import hookimpl\n@hookimpl\ndef flowforge_engines():\n    return [1]\n"
        install("bad-engine", "bad", code)
        assert [one.name for one in load_plugins().broken] == ["bad"]

    def test_a_module_that_ends_the_process(self, install):
        install("bad-engine", "bad", "raise SystemExit('no licence')\n")
        assert [one.reason for one in load_plugins().broken] == [
            "SystemExit: no licence (site-packages/bad_engine_plugin.py, line 1)"
        ]

    def test_a_line_that_is_no_python(self, install):
        install("bad-engine", "bad", "x = 1\ndef (:\n")
        [bad] = load_plugins().broken
        assert bad.reason == "SyntaxError: invalid syntax (site-packages/bad_engine_plugin.py, line 2)"
        assert bad.fix == "Correct that line, or report it to the authors of bad-engine."

    @pytest.mark.parametrize(
        ("typo", "meant"),
        [
            ("EngineSpec(nmae='new')", "name"),
            ("Dialect(quotes='`')", "quote"),
            ("Capability.VIEW", "VIEWS"),
            ("flowforge_ports.engine.EngineSpecs", "EngineSpec"),
        ],
    )
    def test_a_word_that_is_misspelt(self, install, typo, meant):
        imports = "from flowforge_ports.engine import EngineSpec\nfrom flowforge_domain.dialect import Dialect\n"
        imports += "from flowforge_domain.capability import Capability\nimport flowforge_ports.engine\n"
        install("bad-engine", "bad", f"{imports}{typo}\n")
        [bad] = load_plugins().broken
        upgrade = "pip install --upgrade flowforge"
        assert bad.fix == f"Did you mean {meant!r}? If not, it is for a newer FlowForge: {upgrade}"

    @pytest.mark.parametrize(
        "newer",
        [
            "SPEC = EngineSpec(name='new', shards=3)",
            "from flowforge_ports.engine import Shards",
            "from flowforge_domain.capability import Capability\nSPEC = Capability.SHARDS",
        ],
    )
    def test_a_word_that_this_version_does_not_know(self, install, newer):
        install("bad-engine", "bad", f"from flowforge_ports.engine import EngineSpec\n{newer}\n")
        [bad] = load_plugins().broken
        assert bad.fix == (
            "Correct that line, or upgrade FlowForge if it is for a newer one: pip install --upgrade flowforge"
        )
        assert "(site-packages/bad_engine_plugin.py, line " in bad.reason

    def test_a_hook_with_arguments_that_it_does_not_have(self, install):
        code = "from flowforge_ports.hooks import hookimpl\n@hookimpl\ndef flowforge_engines(profile):\n    return []\n"
        install("bad-engine", "bad", code)
        [bad] = load_plugins().broken
        assert "flowforge_engines(profile)" in bad.reason
        assert "\n" not in bad.reason
        assert bad.fix == "Give its hooks the arguments of flowforge_ports/hooks.py."

    def test_a_misspelt_hook(self, install):
        code = "from flowforge_ports.hooks import hookimpl\n@hookimpl\ndef flowforge_engine():\n    return []\n"
        install("bad-engine", "bad", code)
        with pytest.raises(PluginError, match="FlowForge has no hook 'flowforge_engine', so it announces") as caught:
            load_plugins().engine("bad")
        assert caught.value.hint == "Did you mean 'flowforge_engines'?"

    def test_a_hook_that_is_not_marked(self, install):
        install("bad-engine", "bad", "def flowforge_engines():\n    return []\n")
        with pytest.raises(PluginError, match=r"^Plugin 'bad' cannot be used: it announces nothing\n") as caught:
            load_plugins().engine("bad")
        assert caught.value.hint == "Mark its function flowforge_engines with @hookimpl."

    def test_what_it_prints_is_no_output_of_flowforge(self, install, capsys):
        install("loud-engine", "loud", "print('welcome')\n" + ENGINE.format(name="loud", distribution="loud-engine"))
        assert load_plugins().engine("loud").name == "loud"
        assert capsys.readouterr() == ("", "welcome\n")

    def test_one_written_for_newer_ports(self, install):
        code = ENGINE.format(name="future", distribution="future-engine").replace("SPEC, name", "SPEC, api=2, name")
        install("future-engine", "future", code)
        plugins = load_plugins()
        assert "future" not in plugins.engines
        with pytest.raises(PluginError, match="version 2 of FlowForge's ports, and this is version 1") as caught:
            plugins.engine("future")
        assert caught.value.hint == "Upgrade FlowForge: pip install --upgrade flowforge"

    def test_a_typo_is_no_fault_of_one_written_for_newer_ports(self, install):
        code = ENGINE.format(name="future", distribution="future-engine").replace("SPEC, name", "SPEC, api=2, name")
        install("future-engine", "tomorrow", code)
        with pytest.raises(PluginError) as caught:
            load_plugins().engine("futrue")
        assert str(caught.value) == "There is no engine 'futrue'.\nDid you mean 'future'?"

    def test_a_typo_is_no_fault_of_a_broken_one(self, install):
        install("bad-engine", "bad", "1 / 0\n")
        with pytest.raises(PluginError) as caught:
            load_plugins().engine("sqlit")
        assert str(caught.value) == "There is no engine 'sqlit'.\nDid you mean 'sqlite'?"

    def test_a_variant_of_a_broken_one(self, install):
        install("bad-engine", "bad", "1 / 0\n")
        with pytest.raises(PluginError, match=r"^Plugin 'bad' cannot be used: ZeroDivisionError"):
            load_plugins().engine("bad+fast")

    def test_one_of_ours_that_is_broken_is_installed(self, install):
        install("their-snowflake", "snowflake", "1 / 0\n")
        broken = load_plugins().broken
        with pytest.raises(PluginError, match=r"^Plugin 'snowflake' cannot be used: ZeroDivisionError"):
            Plugins(broken=broken).engine("snowflake_snowpark")

    def test_an_engine_that_a_broken_one_may_give(self, install):
        """What it announces nobody knows: the name may be right."""
        install("bad-engine", "my-oracle", "from flowforge_ports.engine import Shards\n")
        with pytest.raises(PluginError) as caught:
            load_plugins().engine("oracle")
        message, hint = str(caught.value).split("\n")
        assert message.startswith(
            "There is no engine 'oracle', unless plugin my-oracle gives it, which cannot be used: ImportError"
        )
        assert hint == load_plugins().broken[0].fix
        install("worse-engine", "worse", "1 / 0\n")
        with pytest.raises(PluginError) as caught:
            load_plugins().engine("oracle")
        assert str(caught.value) == (
            "There is no engine 'oracle', unless a plugin gives it that cannot be used: my-oracle, worse.\n"
            "`flowforge engines` tells how to mend each."
        )


class TestNames:
    def test_two_distributions_with_one_engine_name(self, install):
        for distribution in ("one-engine", "other-engine"):
            install(distribution, distribution, ENGINE.format(name="same", distribution=distribution))
        with pytest.raises(PluginError, match="'same' is claimed by one-engine and other-engine"):
            load_plugins().engine("same")

    def test_two_distributions_with_one_entry_point_name(self, install):
        for distribution in ("one-engine", "other-engine"):
            install(distribution, "same", ENGINE.format(name="same", distribution=distribution))
        with pytest.raises(PluginError, match="one-engine and other-engine"):
            load_plugins().engine("same")

    def test_a_conflict_does_not_touch_other_engines(self, install):
        for distribution in ("one-engine", "other-engine"):
            install(distribution, distribution, ENGINE.format(name="same", distribution=distribution))
        assert load_plugins().engine("sqlite").name == "sqlite"


class TestMissing:
    def test_one_of_ours_names_the_command(self):
        with pytest.raises(PluginError) as caught:
            Plugins().engine("duckdb")
        assert str(caught.value) == "Engine 'duckdb' is not installed: pip install \"flowforge[duckdb]\""

    def test_an_unknown_one_gives_the_nearest(self):
        with pytest.raises(PluginError) as caught:
            load_plugins().engine("sqlit")
        assert caught.value.hint == "Did you mean 'sqlite'?"

    def test_one_like_none_gives_what_is_installed(self):
        with pytest.raises(PluginError) as caught:
            Plugins({"mini": []}).engine("zzz")
        assert caught.value.hint == "Known: mini."

    @pytest.mark.parametrize("what", ["project", "site"])
    def test_no_project_format_or_site(self, what):
        with pytest.raises(PluginError, match="is installed"):
            getattr(Plugins(), what)()


@pytest.mark.parametrize("reference", ["json.no:thing", "json:nothing", "not a reference"])
def test_a_reference_that_leads_nowhere(reference):
    with pytest.raises(PluginError, match="cannot be loaded") as caught:
        resolve(reference)
    assert caught.value.hint == "Correct what the plugin's spec refers to."


def test_a_reference_whose_driver_is_missing(install):
    install("own-engine", "own", "import no_such_driver_at_all\n")
    with pytest.raises(PluginError, match="No module named 'no_such_driver_at_all'") as caught:
        resolve("own_engine_plugin:open_engine")
    assert caught.value.hint == "Install the package that gives the module 'no_such_driver_at_all'."
