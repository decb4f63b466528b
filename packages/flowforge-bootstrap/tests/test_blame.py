from __future__ import annotations

from flowforge_bootstrap.blame import bug_report
from flowforge_bootstrap.plugins import load_plugins

RAISES = """
def flowforge_engines(): pass

def unwritten(again):
    if again:
        again()
    raise NotImplementedError
"""


def test_an_error_of_the_core_is_flowforges():
    try:
        sorted(1)
    except TypeError as error:
        said = bug_report(error)
    assert said == (
        "✗ This is a bug in FlowForge: TypeError: 'int' object is not iterable\n"
        "Please report it with the trace that FLOWFORGE_TRACE=1 prints."
    )


def test_an_error_below_a_plugin_is_the_plugins(install):
    install("own-engine", "own", RAISES)
    load_plugins()
    import own_engine_plugin

    for again, line in ((None, 7), (lambda: 1 / 0, 6)):
        try:
            own_engine_plugin.unwritten(again)
        except (NotImplementedError, ZeroDivisionError) as error:
            said = bug_report(error).splitlines()[0]
        assert said.startswith("✗ This is a bug in own-engine 1.0: ")
        assert said.endswith(f" (site-packages/own_engine_plugin.py, line {line})")
