"""Flows of those who hold the keys of the vault: they are rotated while shops sell."""

from actors.simulation.shops import INSIDER, LOOK_MS_MAX, Pause, Request, Shop, Steps, Strange

#: How often somebody looks whether older keys are gone.
LOOKS_MAX = 200
PATH = "/rotate-keys"


def rotates(shop: Shop) -> Steps[None]:
    """A card is stored, keys are rotated, and the card is charged: under whichever key it is then.
    In the end no older key is left; now and then the keys are rotated twice."""
    token = yield from shop.card()
    for _ in range(1 + shop.wish.choice % 2):
        yield from _rotated(shop)
    made = yield from shop.created(token)
    yield from shop.about(str(made["id"]), "authorize")
    if shop.wish.choice % 3 == 0:
        yield from _may_not(shop)
    yield from _one_key_is_left(shop)


def _rotated(shop: Shop) -> Steps[None]:
    """Whoever hears nothing asks again, which makes one more key."""
    request = Request("POST", PATH, None, None, shop.wish.merchant, INSIDER, "vault")
    answer = yield from shop.until_final(request)
    if answer.status == 200 and answer.body["key_id"] in answer.body["previous"]:
        raise Strange(f"a rotation to {answer.body['key_id']}, which was there")
    if answer.status not in (200, 409):
        raise Strange(f"POST {PATH}: {answer.status}")


def _may_not(shop: Shop) -> Steps[None]:
    request = Request("POST", PATH, None, None, shop.wish.merchant, "operator", "vault")
    yield from shop.refused(request, 401, "unauthenticated")


def _one_key_is_left(shop: Shop) -> Steps[None]:
    for _ in range(LOOKS_MAX):
        shown = yield from shop.look(PATH, INSIDER, "vault")
        if shown.body["lost"]:
            raise Strange(f"cards do not open: {shown.body['lost']}")
        if not shown.body["previous"]:
            return
        yield Pause(LOOK_MS_MAX)
    raise Strange(f"older keys stay: {shown.body['previous']}")
