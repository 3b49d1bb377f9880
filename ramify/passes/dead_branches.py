"""What nothing reads is not computed."""

from __future__ import annotations

from ramify.passes.program import Program, item, places


def dead_branches(program: Program) -> None:
    """Take away functions whose results nobody reads; calls of layers that were left as they are stay.

    Parts of a nested result are no work: taking them away is not told.
    """
    gone = []
    for node in reversed(program.nodes):
        if node.op in ("call_function", "get_attr") and not node.users and not node.meta.get("opaque"):
            if node.op == "call_function" and node.target is not item:
                gone.append(node)
            program.graph.erase_node(node)
    if gone:
        program.note("dead_branches", places(reversed(gone)))
