"""The wheel carries everything: installed outside a checkout it serves pages."""

import json
import re
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from tests.serving import free_port

pytestmark = pytest.mark.xdist_group("wheel")  # one worker builds it

CHECKOUT = Path(__file__).parents[1]
CARRIED = (
    "reviewkit/dashboards/my_work.ipynb",
    "reviewkit/rubrics/data-stories.md",
    "reviewkit/rubrics/t509.md",
    "reviewkit/screens/lib.js",
    "reviewkit/screens/tokens.css",
    "reviewkit/store/migrations/env.py",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(CHECKOUT)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    [found] = folder.glob("*.whl")
    return found


def test_the_wheel_carries_dashboards_rubrics_template_and_demo_and_no_test(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert set(CARRIED) <= set(names)
    for place, ending in (("server/template/", ".j2"), ("demo/posts/", ".md"), ("screens/static/", ".woff2")):
        assert any(name.startswith(f"reviewkit/{place}") and name.endswith(ending) for name in names), place
    assert any("LICENSE" in name and name.startswith("reviewkit/screens/static/") for name in names)
    assert not any(name.startswith("tests/") for name in names)


def test_installed_outside_a_checkout_it_serves_pages(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")}))
    zipfile.ZipFile(wheel).extractall(site)
    # The dependencies are those of the tests; what a .pth file adds reads no .pth of its own, so not the checkout.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    demo = subprocess.Popen(
        [str(python), "-m", "reviewkit", "demo", "--json", "--port", str(free_port()), "--dir", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert demo.stdout is not None
    try:
        told = json.loads(demo.stdout.readline() or "{}")
        link = next(person["link"] for person in told["people"] if person["role"] == "student")
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        page = browser.open(link, timeout=30).read().decode()
        assert 'method="post"' in page.casefold()
        page = browser.open(Request(link, data=b"", headers={"Origin": told["url"]}), timeout=30).read().decode()
        assert "Data Stories" in page
        for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
            assert browser.open(told["url"] + address, timeout=30).status == 200
    finally:
        demo.send_signal(signal.SIGTERM)
        _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 0, errors
    where = subprocess.run(
        [str(python), "-c", "import reviewkit; print(reviewkit.__file__)"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(site)
