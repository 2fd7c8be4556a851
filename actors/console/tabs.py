"""Open tabs and what changed for each: one stream a tab, one rendering for all that show the same.

A tab is told the newest content of a region, never the steps in between, so that a slow one holds
up nobody and costs no memory. Never: asks the API; the pages do.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from actors.console.api import ApiRefused
from actors.console.pages import Page, facts_of
from actors.console.render import Renderer
from actors.console.watch import Watch

#: Browsers keep a stream open for each tab; more than this is no house of people.
TABS_MAX = 32


@dataclass(frozen=True, slots=True)
class View:
    """What a tab shows. Equal ones are rendered once."""

    page: Page
    query: tuple[tuple[str, str], ...]

    @property
    def regions(self) -> tuple[str, ...]:
        """Those that change. An older page of a list stands still: rows would slip from it."""
        if any(name == "cursor" for name, _ in self.query):
            return tuple(name for name in self.page.regions if name != "list")
        return self.page.regions


class Tab:
    """One open stream: what it was told, and what it is still to be told."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.news = asyncio.Event()
        self.closed = False
        self._told: dict[str, str] = {}
        self._waiting: dict[str, str] = {}

    def offer(self, regions: Mapping[str, str]) -> None:
        """The page as it is now; what differs from before will be told."""
        for name, html in regions.items():
            if self._told.get(name) != html:
                self._waiting[name] = html
            else:
                self._waiting.pop(name, None)
        if self._waiting:
            self.news.set()

    def take(self) -> dict[str, str]:
        """What to tell now."""
        taken, self._waiting = self._waiting, {}
        self._told |= taken
        self.news.clear()
        return taken

    def close(self) -> None:
        self.closed = True
        self.news.set()


class Tabs:
    """All open tabs."""

    def __init__(self, watch: Watch, renderer: Renderer) -> None:
        self._watch, self._renderer = watch, renderer
        self._tabs: set[Tab] = set()
        self.closing = False

    def __len__(self) -> int:
        return len(self._tabs)

    def open(self, view: View) -> Tab | None:
        """A new tab; None when there are too many, or the console goes down."""
        if self.closing or len(self._tabs) >= TABS_MAX:
            return None
        tab = Tab(view)
        self._tabs.add(tab)
        return tab

    def forget(self, tab: Tab) -> None:
        self._tabs.discard(tab)

    def close(self) -> None:
        """End every stream; nobody gets a new one."""
        self.closing = True
        for tab in self._tabs:
            tab.close()

    async def show(self) -> None:
        """Make each view that somebody looks at once more, and offer it to those."""
        for view in {tab.view for tab in self._tabs}:
            regions = await self._made(view)
            for tab in [tab for tab in self._tabs if tab.view == view]:
                tab.offer(regions)

    async def _made(self, view: View) -> dict[str, str]:
        try:
            facts = await facts_of(view.page, self._watch, dict(view.query))
        except ApiRefused:
            return {}  # It was there when the page was made; the next look may find it again.
        return {name: self._renderer.region(name, facts) for name in view.regions}
