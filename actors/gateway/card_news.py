"""Which cards there are: what the vault has told, and whether it may still have more to tell.

A power cut takes lines of mailboxes; whoever sent them puts them back at its next start, before
anything else. So the gateway asks the vault at each start, and until the answer has come a token
that it does not know is one that it may be about to hear of: 503, and not 422.
"""

from actors.gateway.facts import Card, CardRegistered, CardRemoved, CardsAsked, CardsTold
from actors.gateway.state import GatewayState
from payrail.domain.words.cards import AskCards, CardForgotten, CardKnown, CardNews
from payrail.errors import RequestError
from payrail.runtime.actor import Moment, Send, Step

VAULT = "vault"
#: How long somebody should wait who was told to, in seconds.
RETRY_S = "1"


def opened(step: Step, moment: Moment) -> None:
    """Ask for what the last incarnation may not have heard."""
    ident = moment.new_id("ask")
    step.events.append(CardsAsked(ident))
    step.out.append(Send(VAULT, "cards.ask", AskCards(ident)))


def told(state: GatewayState, news: CardNews) -> Step:
    """All that the vault had sent before has come. An answer to an incarnation that is over says
    nothing about what was lost since."""
    return Step(events=[CardsTold()]) if news.id == state.cards_asked else Step()


def known(state: GatewayState, known: CardKnown) -> Step:
    """The vault has stored a card."""
    if known.token in state.cards:
        return Step()
    card = Card(known.merchant_id, known.brand, known.bin, known.last4)
    return Step(events=[CardRegistered(known.token, card)])


def forgotten(state: GatewayState, gone: CardForgotten) -> Step:
    """The vault has deleted a card."""
    return Step(events=[CardRemoved(gone.token)]) if gone.token in state.cards else Step()


def fold(state: GatewayState, event: CardRegistered | CardRemoved | CardsAsked | CardsTold) -> None:
    """What the gateway knows of cards after one more fact."""
    match event:
        case CardRegistered(token, card):
            state.cards[token] = card
        case CardRemoved(token):
            state.cards.pop(token, None)
        case CardsAsked(ident):
            state.cards_asked = ident
        case CardsTold():
            state.cards_asked = ""


def unknown(state: GatewayState) -> RequestError:
    """What to say to a token that the gateway does not know."""
    if state.cards_asked:
        return RequestError(
            503,
            "actor-restarting",
            "the vault has not told yet which cards there are; ask again with the same key",
            retryable=True,
            headers={"Retry-After": RETRY_S},
        )
    return RequestError(
        422,
        "unknown-token",
        "no such token; tokenize the card first",
        errors=[{"field": "payment_method", "message": "not a token of yours"}],
    )
