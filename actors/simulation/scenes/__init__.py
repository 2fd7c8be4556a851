"""Every scene in which the house is broken at each of its effects, by flow.

A flow is a room with a tuple `SCENES`; a new one joins in the table below, and is then played by
`payrail simulate --crash-points` and by the tests.
"""

from actors.simulation.crashes import Scene
from actors.simulation.scenes import (
    births,
    challenges,
    disputes,
    documents,
    edges,
    hand_lines,
    holds,
    key_rotation,
    late_news,
    payments,
    payouts,
    people,
    provider_disputes,
    refunds,
    rotation,
    rule_files,
    settlement,
    tokens,
    webhooks_out,
    wishes,
)

FLOWS: dict[str, tuple[Scene, ...]] = {
    "births": births.SCENES,
    "payments": payments.SCENES,
    "challenges": challenges.SCENES,
    "holds": holds.SCENES,
    "wishes": wishes.SCENES,
    "refunds": refunds.SCENES,
    "disputes": disputes.SCENES,
    "provider_disputes": provider_disputes.SCENES,
    "settlement": settlement.SCENES,
    "late_news": late_news.SCENES,
    "payouts": payouts.SCENES,
    "webhooks_out": webhooks_out.SCENES,
    "people": people.SCENES,
    "rule_files": rule_files.SCENES,
    "documents": documents.SCENES,
    "rotation": rotation.SCENES,
    "key_rotation": key_rotation.SCENES,
    "tokens": tokens.SCENES,
    "edges": edges.SCENES,
    "hand_lines": hand_lines.SCENES,
}
#: Every scene, flow by flow.
SCENES = {(flow, scene.slug): scene for flow, scenes in FLOWS.items() for scene in scenes}
