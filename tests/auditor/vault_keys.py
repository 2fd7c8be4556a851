"""The vault's keys: no card under one that is gone, none lost on its way to the next.

What happened stands in the vault's journal; the file of keys and the documents are what is left.
"""

import json
from pathlib import Path
from typing import Any

from tests.auditor.cards import ACCESS_LOG, JOURNAL
from tests.auditor.files import Line, each_of_chain
from tests.auditor.report import Report

KEYS, CARDS = "data/vault/keys.json", "data/vault/encrypted_cards.json"
CHECK = "vault keys"


class _Vault:
    """Cards and keys, as the journal tells of them line by line."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.under: dict[str, str] = {}  # token: key
        self.began: list[str] = []
        self.ending: set[str] = set()
        self.retired: set[str] = set()

    def see(self, step: Line) -> None:
        for event in step["events"] or []:
            self._report.saw(CHECK)
            wrong = self._seen(event)
            if wrong:
                self._report.add(CHECK, step.path, step.number, wrong)

    def _seen(self, event: dict[str, Any]) -> str:
        kind = event.get("type")
        if kind == "card.stored":
            return self._put(event["token"], event["card"]["key_id"])
        if kind == "card.deleted":
            self.under.pop(event["token"], None)
        elif kind == "cards.moved":
            strange = [token for token in event["cards"] if token not in self.under]
            wrong = [self._put(token, event["key_id"]) for token in event["cards"]]
            return f"{strange[0]} was moved, and is not there" if strange else "".join(wrong[:1])
        elif kind == "rotation.begun":
            self.began.append(event["wanted"]["key_id"])
        elif kind == "keys.retiring":
            self.ending.update(event["key_ids"])
            return self._needed(event["key_ids"])
        elif kind == "key.retired":
            self.retired.add(event["key_id"])
            return self._needed([event["key_id"]])
        return ""

    def _put(self, token: str, key_id: str) -> str:
        self.under[token] = key_id
        is_over = key_id in self.ending
        return f"{token} was put under {key_id}, which is retired" if is_over else ""

    def _needed(self, key_ids: list[str]) -> str:
        needed = sorted(set(key_ids) & set(self.under.values()))
        return f"{needed[0]} is retired, and cards are under it" if needed else ""


def check_vault_keys(home: Path, books: dict[str, list[Line]], report: Report) -> None:
    """Journal, file of keys, documents and access log against each other."""
    if not (home / JOURNAL).exists():
        return
    vault = _Vault(report)
    for step in each_of_chain(home, JOURNAL, Report()):  # its chain is checked elsewhere
        vault.see(step)
    if vault.began and (home / KEYS).exists():
        _check_file(home, vault, report)
    _check_log(vault, books.get(ACCESS_LOG, []), report)


def _check_file(home: Path, vault: _Vault, report: Report) -> None:
    lines = json.loads((home / KEYS).read_bytes())["keys"]
    there = {line["id"] for line in lines if line["key"]}
    for key_id in sorted(set(vault.under.values()) - there):
        report.add(CHECK, KEYS, 0, f"{key_id} is not there, and cards are under it")
    for key_id in sorted(vault.retired & there):
        report.add(CHECK, KEYS, 0, f"{key_id} is retired, and its bytes are there")
    if not (home / CARDS).exists():
        return
    for token, card in json.loads((home / CARDS).read_bytes())["cards"].items():
        if card["key_id"] in vault.retired:
            report.add(CHECK, CARDS, 0, f"{token} is under {card['key_id']}, which is retired")


def _check_log(vault: _Vault, access: list[Line], report: Report) -> None:
    """One line for each key that came, and one for each that went."""
    lines = [line for line in access if line["purpose"] == "key.rotation" and line["key_id"]]
    told = sorted(line["key_id"] for line in lines if line["outcome"] == "allowed")
    if told != sorted([*vault.began, *vault.retired]):
        report.add(CHECK, ACCESS_LOG, 0, f"it tells of {told}, and these came: {vault.began}")
