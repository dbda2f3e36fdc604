"""The client that blocks. generate.py makes it of the one for asyncio, in ``_async``."""
