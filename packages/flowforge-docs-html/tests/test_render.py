"""What guards the templates."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from flowforge_docs_html.render import json_block, policy, templates


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_comes_back_and_cannot_end_its_element(value: object) -> None:
    block = str(json_block(value))
    assert json.loads(block) == value
    assert not re.search("[<>&\u2028\u2029]", block)


def test_everything_is_escaped_whatever_the_template_is_called() -> None:
    assert templates().environment.from_string("{{ x }}").render(x="<b>'\"&") == "&lt;b&gt;&#39;&#34;&amp;"


def test_an_undefined_name_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        templates().environment.from_string("{{ nothing }}").render()


def test_the_policy_allows_our_own_files_and_one_inline_script() -> None:
    found = policy(allow_injected_styles=False)
    script = str(templates().environment.globals["theme_script"])
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert found.startswith("default-src 'none'; ")
    assert f"script-src 'self' 'sha256-{digest}';" in found
    assert "unsafe" not in found
    assert "base-uri 'none'" in found
    assert "form-action 'none'" in found


def test_drawing_pages_allow_injected_styles_and_no_more() -> None:
    strict, drawing = policy(allow_injected_styles=False), policy(allow_injected_styles=True)
    assert drawing == strict.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


def test_the_theme_script_cannot_end_its_element() -> None:
    assert "</" not in str(templates().environment.globals["theme_script"])
