"""A dispute as it is answered, as models for the OpenAPI document alone. No answer is made here."""

from typing import Literal

from pydantic import BaseModel

Stage = Literal["inquiry", "chargeback", "pre_arbitration"]


class ChecklistItem(BaseModel):
    """What helps against this reason. `given_by` null: nobody yet."""

    item: str
    asked: str
    given_by: Literal["records", "merchant"] | None


class SubmissionShown(BaseModel):
    """The one answer of a stage. `submitted_by` null: the provider answered by itself."""

    stage: Stage
    at: str
    submitted_by: str | None


class DisputeFeeShown(BaseModel):
    kind: Literal["received", "countered"]
    amount: int
    returned: bool


class DisputeShown(BaseModel):
    """`opening`, with 202 alone: the provider was asked and has not answered; what is not known
    yet is null, and the dispute is not among the reads."""

    id: str
    object: Literal["dispute"]
    stage: Stage
    state: Literal["opening", "inquiry", "opened", "under_review", "won", "lost", "closed"]
    reason: str | None
    network_code: str | None
    amount: int
    currency: str
    payment_intent: str
    merchant_id: str | None
    provider: str
    provider_reference: str | None
    due_by: str | None
    closed_reason: Literal["accepted", "expired", "defended", "withdrawn"] | None
    evidence: dict[str, str]
    checklist: list[ChecklistItem]
    submissions: list[SubmissionShown]
    fees: list[DisputeFeeShown]
    created_at: str | None
    updated_at: str | None


class DisputesShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[DisputeShown]
