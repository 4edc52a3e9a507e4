"""Many at once: everybody gets their page, nobody wakes up for nothing, and where there is no room it is said."""

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reviewkit.server import kernels
from reviewkit.server.identity import Viewer
from reviewkit.server.light.fork import FILES, MEMORY
from reviewkit.server.light.manager import LightKernelManager
from reviewkit.server.limits import SECONDS
from reviewkit.server.memory import MANY, Tidying
from tests.asking import Asker
from tests.cast import ANN
from tests.crowd import a_crowded_course, visitors
from tests.housekeeping import idle, no_more_files, nothing_open, use_of
from tests.serving import Server, a_course_folder, awaited, wait_for
from tests.test_kernels import a_page, gone, said

PEOPLE, PAGES = 30, 50
GIVEN: Any = {"door": Path("/nowhere"), "secret": b"s" * 40, "files": {}, "query": ""}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, list[Any]]]:
    course_file, people = a_crowded_course(tmp_path_factory.mktemp("crowd") / "course", PEOPLE)
    with Server(course_file) as server:
        yield server, people


def with_processes(test: Any, **settings: Any) -> None:
    async def whole() -> None:
        manager = kernels.PageProcesses(modules=[], **settings)
        try:
            await asyncio.wait_for(test(manager), 60)
        finally:
            manager.close()

    awaited(whole())


# -- a class that comes all at once


@pytest.mark.timeout(240)
@pytest.mark.xdist_group("load")
def test_a_class_that_comes_at_once_is_let_in_and_leaves_nothing(crowded: tuple[Server, list[Any]]) -> None:
    """Thirty sign in at the same moment and open fifty pages; each of them answers. `benchmarks/load.py` counts. How
    high memory rises meanwhile is a matter of the moment: that it does not grow is tried with one page at a time."""
    server, people = crowded

    async def whole() -> tuple[list[float], int]:
        async with visitors(server, PEOPLE) as everybody:
            await asyncio.gather(*(each.sign_in(person) for each, person in zip(everybody, people, strict=True)))
            await asyncio.gather(*(everybody[number % PEOPLE].open() for number in range(PAGES)))
            open_now = len(server.pages())
            presses = [page.press() for each in everybody for page in each.pages]
            return await asyncio.gather(*presses), open_now

    awaited(whole())  # the warm-up
    nothing_open(server)
    before = use_of(server)
    answered, open_now = awaited(whole())  # nobody was answered that the course is very busy
    assert (len(answered), open_now) == (PAGES, PAGES)
    nothing_open(server)
    # The page server keeps its lines to the course service for a while after so many questions at once.
    wait_for(lambda: no_more_files(before, use_of(server)), seconds=60, what="the end of sockets")
    after = use_of(server)
    assert (after.processes, after.entries) == (before.processes, before.entries) == (2, 1)


@pytest.mark.xdist_group("load")
def test_pages_that_nobody_uses_do_not_wake_up(crowded: tuple[Server, list[Any]]) -> None:
    """For twenty seconds; `tests/soak` looks at ten minutes."""
    server, people = crowded

    async def whole() -> dict[int, int]:
        async with visitors(server, 5) as everybody:
            for each, person in zip(everybody, people, strict=False):
                await each.sign_in(person)
                await each.open()
            pids = server.pages()
            assert len(pids) == 5
            return await idle(pids, seconds=20)

    assert set(awaited(whole()).values()) == {0}


def test_two_hundred_pages_that_are_asked_for_at_once_all_come() -> None:
    async def test(manager: LightKernelManager) -> None:
        started = await asyncio.gather(*(manager.start_kernel(env={"PAD": "x" * 3000}) for _ in range(200)))
        assert len(set(started)) == len(manager.running) == 200

    with_processes(test)


def test_the_server_tidies_up_when_many_pages_have_ended_and_none_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewkit.server.memory.CALM", 0.01)
    done: list[str] = []

    async def whole() -> None:
        open_now = [True]
        tidying = Tidying(lambda: not open_now, lambda: done.append("tidied"))
        for _ in range(MANY + 1):
            tidying.page_ended()
        await asyncio.sleep(0.05)
        assert not done
        open_now.clear()
        tidying.page_ended()
        open_now.append(True)  # somebody comes before it was done
        await asyncio.sleep(0.05)
        assert not done
        open_now.clear()
        tidying.page_ended()
        while not done:
            await asyncio.sleep(0.01)
        for _ in range(MANY - 1):
            tidying.page_ended()
        await asyncio.sleep(0.05)
        assert done == ["tidied"]

    awaited(whole())


# -- no room


def test_when_the_system_gives_no_more_processes_the_others_live_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.joinpath("two_processes.py").write_text(
        "import os\nfork, forked = os.fork, []\n"
        "def few():\n"
        "    if len(forked) == 2: raise BlockingIOError(11, 'Resource temporarily unavailable')\n"
        "    forked.append(fork())\n"
        "    return forked[-1]\n"
        "os.fork = few\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ann = Viewer(username="ann", name="Ann", role="student", serial=1)

    async def test(manager: Any) -> None:
        manager.modules = ["two_processes"]
        _, before = await a_page(manager)
        await a_page(manager)
        with pytest.raises(kernels.Full):
            await manager.open_page(ann, "my-work", **GIVEN)
        assert not manager.owners
        assert len(manager.running) == 2
        assert (await said(before, "'still here'"))["shown"] == "'still here'"

    with_processes(test)
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == [
        "The system has no room for the process of another page: Resource temporarily unavailable"
    ]


def test_a_page_for_which_there_is_no_room_is_a_page_of_words(tmp_path: Path) -> None:
    """The system lets the server have 112 files open: two pages' worth beside its own."""
    script = (
        "import pathlib, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (112, 112))\n"
        "import reviewkit.server as s\n"
        "s.serve(pathlib.Path(sys.argv[1]), port=int(sys.argv[2]))\n"
    )
    with Server(a_course_folder(tmp_path / "course"), script=script) as server:
        ann = Asker(server, ANN)
        pages = [ann.page("/my-work") for _ in range(2)]
        status, _, text = ann.get("/my-work")
        assert status == 503
        assert "The course is full just now" in re.sub(r"\s+", " ", text)
        assert "raise ulimit -n for a larger course" in server.log.read_text()
        assert [ann.socket(page) for page in pages] == ["!", "!"]


def test_what_the_system_gives_without_being_asked_twice_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: asked[-1] if asked else (1024, 524_288))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    kernels.raise_file_limit()
    assert asked == [(65_536, 524_288)]
    assert kernels.pages_for(kernels.file_limit()) > 10_000


# -- what one page may take


def test_a_page_has_its_share_of_the_machine_and_no_more() -> None:
    names = ("AS", "CPU", "NOFILE", "CORE")
    limits = f"import resource; [resource.getrlimit(getattr(resource, 'RLIMIT_' + each)) for each in {names}]"
    files = "import os\nheld = []\nwhile True: held.append(os.open('/dev/null', os.O_RDONLY))"

    async def test(manager: LightKernelManager) -> None:
        kernel, client = await a_page(manager)
        asked = (MEMORY, SECONDS, FILES, 0)
        assert (await said(client, limits))["shown"] == str([(most, most) for most in asked])
        assert (await said(client, files))["ename"] == "OSError"
        assert (await said(client, "len(held) <= 64"))["shown"] == "True"
        await said(client, "[os.close(each) for each in held]")
        assert (await said(client, "'it goes on'"))["shown"] == "'it goes on'"
        assert "NoNewPrivs:\t1" in Path(f"/proc/{kernel.pid}/status").read_text()

    with_processes(test)


def test_a_page_that_has_used_up_its_processor_time_is_ended_and_others_feel_nothing() -> None:
    async def test(manager: LightKernelManager) -> None:
        spent, client = await a_page(manager)
        _, other = await a_page(manager)
        await said(client, "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))")  # its hour is over
        client.execute("while True: pass")
        await gone(spent.pid)
        assert (await said(other, "'here'"))["shown"] == "'here'"

    with_processes(test)
