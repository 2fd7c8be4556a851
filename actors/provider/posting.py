"""Post notices: signed anew at each try, to the one address that this house takes them at.

Never: keeps anything. What is owed stands in the journal, and what came of a try goes there too.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from payrail.domain.words.disputes import SendDisputeNotice
from payrail.domain.words.providers import NoticePosted
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.ports import Clock
from payrail.security.notices import Sent, signed
from payrail.web.correlation import HEADER
from payrail.web.outgoing import Opened

PATH = "/webhooks/provider"
#: Longer than the front door's budget for an answer, so that its answer is heard.
TOTAL_MS = 15_000


@asynccontextmanager
async def notice_works(
    api_url: str, key: str, clock: Clock, posting: Opened
) -> AsyncIterator[Mapping[str, Work]]:
    """The work `notice`; `posting` opens a client. The target is our own, so nobody judges it."""
    async with posting() as outgoing:

        async def notice(sent: Sent) -> Outcome:
            body, headers = signed(sent, key, clock.now().wall_ms)
            headers[HEADER] = sent.correlation_id
            posted = await outgoing.post(f"{api_url}{PATH}", body, headers)
            return outcome(sent, posted.status or 0)

        yield {"notice": notice}


def outcome(sent: Sent, status: int) -> Outcome:
    """Only a 2xx says that it was taken, durably."""
    kind = "notice.taken" if 200 <= status < 300 else "notice.failed"
    return kind, NoticePosted(notice_id(sent), status)


def notice_id(sent: Sent) -> str:
    """The id of a notice, the same at each try."""
    return sent.notice_id if isinstance(sent, SendDisputeNotice) else sent.notice.notice_id
