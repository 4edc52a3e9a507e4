"""What runs in a page's process on the stock kernel: ipykernel's own application, limited as every page is, with
nothing of this machine's IPython: no history, no profile, no start-up files.

Its standard input is a pipe that the page server holds: at its end the server is gone, however it went, and so is this
process with the folder of its sockets.
"""

import logging
import os
import shutil
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from reviewkit import logs
from reviewkit.bugs import told
from reviewkit.server.limits import limit

LOG = logging.getLogger(__name__)
MEMORY = 2 << 30
"""Bytes of address space: the threads of ipykernel and zmq take some hundred megabytes of it without using them."""
FILES = 256


def leave_with_server(folder: Path) -> None:
    """Wait, in a thread, for the end of the page server, and end at once."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # whoever is the last takes the folder of the server along
            folder.parent.rmdir()
        os._exit(0)

    threading.Thread(target=wait, name="the page server's end", daemon=True).start()


def tell_of_failure(result: Any) -> None:
    """A cell that fails is told to the page by ipykernel; to the log it is told here, without its message."""
    error = result.error_in_exec or result.error_before_exec
    if error is not None:
        LOG.error("A cell of the notebook failed: %s", told(error))


def main(connection_file: str) -> None:
    limit(memory=MEMORY, files=FILES)
    logs.set_up(small=True)
    sys.stdout = sys.stderr  # what is printed belongs into the server's log and not onto the page
    leave_with_server(Path(connection_file).parent)

    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    class PageApp(IPKernelApp):
        """Writes to our log, in which nobody's words are, and reads no files of settings."""

        def load_config_file(self, *_: object, **__: object) -> None:
            """None."""

        def init_crash_handler(self) -> None:
            """`logs.set_up` has its own."""

        def configure_tornado_logger(self) -> None:
            """`logs.set_up` has done it."""

    config = Config()
    config.IPKernelApp.connection_file = connection_file
    config.IPKernelApp.outstream_class = None
    config.HistoryManager.enabled = False
    config.InteractiveShellApp.exec_PYTHONSTARTUP = False
    app: Any = PageApp.instance(config=config, log=logging.getLogger("ipykernel"))
    app.initialize([])
    app.shell.events.register("post_run_cell", tell_of_failure)
    app.start()


if __name__ == "__main__":
    # "python -m" makes a second copy of this module under the name __main__: work with the real one.
    from reviewkit.server import stock_page

    stock_page.main(sys.argv[1])
