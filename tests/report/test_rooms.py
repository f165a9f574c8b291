"""The report room: imports run one way, the command line knows no view by name, and `nasctl ls` imports none."""

import graphlib
import subprocess
import sys

from nasctl.report import discovery
from tests.test_layers import PACKAGE, imported


def test_no_module_of_the_report_imports_itself_by_way_of_others():
    files = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in (PACKAGE / "report").rglob("*.py")
    }
    graph = {name: imported(path) & files.keys() for name, path in files.items()}
    graphlib.TopologicalSorter(graph).prepare()


def test_statistics_know_no_runs_and_readers_no_views():
    for room, others in {"_statistics": ("_read", "view", "format"), "_read": ("view", "format")}.items():
        for path in (PACKAGE / "report" / room).glob("*.py"):
            assert not [name for name in imported(path) if name.startswith(tuple(f"report.{o}." for o in others))], path


def test_the_command_line_and_compare_know_no_view_by_name():
    texts = [(PACKAGE / file).read_text() for file in ("cli/main.py", "report/command.py", "report/guide.py")]
    names = {*discovery.files("view", []), *discovery.files("format", [])} - {"comparison", "table"}
    assert not [name for name in names for text in texts if f'"{name}"' in text or f"{name}=" in text]


def test_ls_imports_no_view_and_nothing_of_the_comparison():
    code = "import sys; from nasctl.cli.main import run; run(['ls']); run(['ls', 'runs', sys.argv[1]])"
    code += "; sys.exit(str([m for m in sys.modules if 'report.view' in m or m == 'torch']))"
    done = subprocess.run([sys.executable, "-c", code, str(PACKAGE)], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[]"
