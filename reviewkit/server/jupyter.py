"""The names of Voila, jupyter_server and nbconvert that the page server leans on: this is the only module that knows
where they live. Their types are not theirs to keep, so they come in untyped; tests/test_server.py tries what is
assumed of each.
"""

from typing import Any

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.services.kernels.connection.base import BaseKernelWebsocketConnection
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from voila.app import Voila
from voila.handler import BaseVoilaHandler
from voila.notebook_renderer import NotebookRenderer
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

AnyAuthorizer: Any = Authorizer
AnyIdentityProvider: Any = IdentityProvider
JupyterUser: Any = User
"""Who asks, as jupyter_server wants to hear it: `username` is all that is used."""

AnyConnection: Any = BaseKernelWebsocketConnection
"""The class that carries messages between a websocket and a kernel: prepare, connect, disconnect and
handle_incoming_message are called."""
StockConnection: Any = ZMQChannelsWebsocketConnection

AnyKernelManager: Any = AsyncMappingKernelManager
"""Keeps `_kernels` and `_kernel_connections`; start_kernel(kernel_name=, path=, env=) gives an id."""

AnyVoila: Any = Voila
"""Makes settings from its classes: init_settings() gives what a tornado Application needs."""
AnyRenderer: Any = NotebookRenderer
"""initialize() loads the notebook by load_notebook and makes `exporter`; generate_content_str(id, kernel) starts
`executor` on it and gives the page."""
AnyPageHandler: Any = BaseVoilaHandler
AnyWebsocketHandler: Any = VoilaKernelWebsocketHandler
"""Authorizes in pre_get, looks its kernel up, then calls the connection."""
