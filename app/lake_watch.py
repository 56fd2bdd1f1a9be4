"""Whether the lake can be reached: asked now and then, so that pages know before a reader fails."""

from __future__ import annotations

import asyncio
import logging

from app.backend import backend

EVERY_S = 10.0

_log = logging.getLogger("haulwatch.lake")


async def keep() -> None:
    """Ask a remote lake for a sign of life until cancelled; a folder needs no watch."""
    while True:
        try:
            house = await asyncio.to_thread(backend)
            if not house.settings.lake_is_remote:
                return
            lake = house.reader.lake
            before, now = lake.trouble, await asyncio.to_thread(lake.probe)
            if bool(before) != bool(now):
                _log.warning("lake: %s", now.reason if now else "is there again")
        except Exception:  # settings or ledger: pages say it better
            _log.debug("lake", exc_info=True)
        await asyncio.sleep(EVERY_S)
