"""A merchant over plain HTTP, for tests on a real house: one request at a time, no retries."""

import http.client
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from actors.cli.chaos.house import House

CARD = {"exp_month": 12, "exp_year": 2030, "cvc": "123", "name": "A Customer"}


#: Answers that are about cards in general.
DOCUMENTS = ("/openapi.json", "/docs")


def heard_in(house: House) -> Path:
    """Where every answer is kept that a shop hears."""
    return house.folder / "answers.txt"


class Answer:
    """Status, headers and body of one response; `body` is decoded JSON, None for other types."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = dict(response.getheaders())
        self.bytes = response.read()
        is_json = "json" in self.headers.get("Content-Type", "")
        self.body: Any = json.loads(self.bytes) if self.bytes and is_json else None


class Shop:
    """One merchant of the demo house with its keys."""

    def __init__(self, house: House, merchant: str = "m_001") -> None:
        self.house = house
        listed = house.cli("keys", "demo", "--json")
        self.keys: dict[str, str] = json.loads(listed.stdout)[merchant]

    def post(
        self,
        path: str,
        body: Any,
        *,
        key: str | None = None,
        role: str = "admin",
        url: str | None = None,
        timeout_s: float = 20,
    ) -> Answer:
        """POST as JSON. `key` is the Idempotency-Key; a fresh one when it is None."""
        headers = {"Idempotency-Key": key or os.urandom(16).hex()}
        return self.send("POST", path, json.dumps(body).encode(), headers, role, url, timeout_s)

    def get(self, path: str, role: str = "admin") -> Answer:
        return self.send("GET", path, None, {}, role)

    def send(
        self,
        method: str,
        path: str,
        data: bytes | None,
        headers: dict[str, str],
        role: str = "admin",
        url: str | None = None,
        timeout_s: float = 20,
    ) -> Answer:
        place = urlsplit(url or self.house.api)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout_s)
        try:
            sent = {
                "Authorization": f"Bearer {self.keys[role]}",
                "Content-Type": "application/json",
                **headers,
            }
            connection.request(method, path, data, sent)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        self._keep(path, answer)
        return answer

    def _keep(self, path: str, answer: Answer) -> None:
        """For the search at the end. Documents show what a request looks like, card and all."""
        if path not in DOCUMENTS:
            with heard_in(self.house).open("ab") as file:
                file.write(f"{answer.status} {answer.headers}\n".encode() + answer.bytes + b"\n")

    def tokenize(self, number: str = "4242424242424242") -> str:
        card = {"number": number, **CARD}
        answer = self.post("/tokenize", card, role="publishable", url=self.house.vault)
        return str(answer.body["token"])

    def create(self, token: str, amount: int = 1099, **more: Any) -> Answer:
        order = {"amount": amount, "currency": "USD", "payment_method": token, **more}
        return self.post("/payment-intents", order)
