"""The cardholder's page: who asks for how much from which card, and three buttons; or how it ended.

Plain HTML without a script, under a policy that lets it load nothing and send its form nowhere but
back to this door. Never: says more of a decline than its table has for payers; of a stolen card a
thief learns nothing.
"""

import base64
import hashlib
import html

from aiohttp import web

from payrail.domain.money import format_minor
from payrail.domain.payment_view import PaymentState, PaymentView

_STYLE = (
    "body{font:17px/1.5 system-ui,sans-serif;margin:0;background:#f4f1ea;color:#1d2733}"
    "main{max-width:26rem;margin:8vh auto;padding:2rem;background:#fff;border-radius:.75rem;"
    "border:1px solid #ddd6c8}"
    "h1{font-size:1.25rem;margin:0 0 1rem}"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:.35rem 1.25rem;margin:0 0 1.5rem}"
    "dt{color:#5b6673}dd{margin:0;text-align:right;font-variant-numeric:tabular-nums}"
    "dd.sum{font-weight:650}p{margin:0 0 1rem}"
    "button{font:inherit;display:block;width:100%;padding:.7rem;margin:0 0 .6rem;cursor:pointer;"
    "border-radius:.45rem;border:1px solid #5b6673;background:#fff;color:#1d2733}"
    "button.yes{background:#14532d;border-color:#14532d;color:#fff}"
    "button:focus-visible{outline:3px solid #c2410c;outline-offset:2px}"
    "small{color:#5b6673}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
#: What a button sends, and what stands on it.
_BUTTONS = (
    ("approve", "yes", "Yes, it is me: confirm"),
    ("fail", "", "Fail the check"),
    ("abandon", "", "Go back without paying"),
)
_S = PaymentState
_ENDS: dict[PaymentState, tuple[str, str]] = {
    _S.DECLINED: ("Not paid", "Your bank declined this payment. No money has moved."),
    _S.REVERSED: ("Not paid", "This payment was given up. No money has moved."),
    _S.PROCESSING: ("One moment", "Your bank is being asked. The shop will tell you the outcome."),
    _S.UNKNOWN: ("One moment", "Your bank has not answered yet. The shop will tell you."),
}
_PAID = ("Thank you", "The payment is confirmed. You can go back to the shop.")


def question_page(view: PaymentView, merchant: str, expires_at: str) -> web.Response:
    """The open challenge. Its form goes back to where the page was."""
    method = view.payment_method
    rows = (
        ("Shop", merchant, ""),
        ("Amount", format_minor(view.amount, view.currency), ' class="sum"'),
        ("Card", f"{method.brand.capitalize()} ending in {method.last4}", ""),
    )
    told = "".join(
        f"<dt>{name}</dt><dd{kind}>{html.escape(text)}</dd>" for name, text, kind in rows
    )
    buttons = "".join(
        f'<button name="outcome" value="{value}" class="{kind}">{text}</button>'
        for value, kind, text in _BUTTONS
    )
    return _page(
        "Is it you?",
        f'<dl>{told}</dl><form method="post">{buttons}</form>'
        f"<small>A test page: no bank is asked. Open until {_clock(expires_at)} UTC.</small>",
        200,
    )


def _clock(iso: str) -> str:
    """Hours and minutes of an ISO time."""
    return html.escape(iso[11:16])


def end_page(view: PaymentView, status: int) -> web.Response:
    """What came of the answer."""
    title, text = _ENDS.get(view.state, _PAID)
    if view.state is _S.DECLINED:
        text = view.attempts[-1].payer_message or text
    return plain_page(title, text, status)


def plain_page(title: str, text: str, status: int) -> web.Response:
    """A few words."""
    return _page(title, f"<p>{html.escape(text)}</p>", status)


def _page(title: str, body: str, status: int) -> web.Response:
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{html.escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers=_HEADERS
    )
