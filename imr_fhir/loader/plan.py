"""What `load` will do, worked out from the artefacts, what the server has, and what there is our own: no I/O."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from imr_fhir.artefacts import LOADED, content_hash, loaded_tag
from imr_fhir.loader.there import Resource, There, reference

Action = Literal["create", "update", "retire", "same", "conflict"]
Conflict = Literal["", "edited", "copies", "taken"]


@dataclass(frozen=True, slots=True)
class Step:
    """``resource``: what is to stand there. ``there``: what stands there now; of a conflict, all that stand there.

    ``conflict``: why nothing is written: it is not as we wrote it, there are several copies of one version, or our id
    is taken by something else.
    """

    action: Action
    resource: Resource
    there: tuple[Resource, ...] = ()
    conflict: Conflict = ""

    @property
    def target(self) -> str:
        return reference(self.there[0] if self.there else self.resource)

    @property
    def writes(self) -> bool:
        return self.action in ("create", "update", "retire")


@dataclass(frozen=True, slots=True)
class Plan:
    """``beside``: other versions that the server has; they stay as they are. ``transaction``: it takes all in one."""

    steps: tuple[Step, ...]
    beside: tuple[Resource, ...]
    transaction: bool = False

    def of(self, *actions: Action) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action in actions)

    @property
    def writes(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.writes)


@dataclass(frozen=True, slots=True)
class Ours:
    """What we wrote: by the record, (reference, content hash) -> hash of what was sent; and by the tag on it, which
    holds the hash of what it said when we wrote it, so that what anybody changed since is no longer ours."""

    recorded: Mapping[tuple[str, str], str]

    def wrote(self, resource: Resource) -> bool:
        now = content_hash(resource)
        return (reference(resource), now) in self.recorded or now in tagged(resource)

    def says(self, resource: Resource, artefact: Resource) -> bool:
        """Whether it is the artefact, be it in the server's own way of saying it."""
        now, wanted = content_hash(resource), content_hash(artefact)
        return wanted in (now, self.recorded.get((reference(resource), now)))


def make_plan(artefacts: Iterable[Resource], there: There, ours: Ours, retire: Collection[str] = ()) -> Plan:
    """``retire``: versions whose status becomes "retired", where they are ours and not newer than the artefact."""
    every = tuple(artefacts)
    retired = [step for each in every for step in _retire(_not_newer(there, each), ours, retire)]
    left = {reference(step.there[0]) for step in retired}
    beside = [each for artefact in every for each in there.others(artefact) if reference(each) not in left]
    return Plan((*(_step(each, there, ours) for each in every), *retired), tuple(beside))


def marked(resource: Resource, before: Resource | None = None) -> dict[str, Any]:
    """``resource`` with our tag, and the labels that a hospital put on what it replaces."""
    had = _meta(before or {})
    labels = {name: had[name] for name in ("profile", "security") if had.get(name)}
    tags = [tag for tag in _tags(had) if tag.get("system") != LOADED]
    meta = {**labels, "tag": [*tags, loaded_tag(resource)]}
    return {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta, **_without_meta(resource)}


def tagged(resource: Resource) -> set[str]:
    """The content hashes that our tag on it names."""
    return {str(tag.get("code")) for tag in _tags(_meta(resource)) if tag.get("system") == LOADED}


def _without_meta(resource: Resource) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in ("resourceType", "id", "meta")}


def _step(artefact: Resource, there: There, ours: Ours) -> Step:
    copies = there.copies(artefact)
    if len(copies) > 1:
        return Step("conflict", artefact, copies, "copies")
    if copies:
        return _standing(artefact, copies[0], ours)
    taken = there.by_id.get(reference(artefact))
    if taken is None:
        return Step("create", marked(artefact))
    return Step("conflict", artefact, (taken,), "taken")


def _standing(artefact: Resource, now: Resource, ours: Ours) -> Step:
    if ours.says(now, artefact):
        return Step("same", artefact, (now,))
    if not ours.wrote(now):
        return Step("conflict", artefact, (now,), "edited")
    return Step("update", marked({**artefact, "id": now["id"]}, now), (now,))


def _not_newer(there: There, artefact: Resource) -> Iterator[Resource]:
    """An older release of ours that is run again must not take a newer one out of use."""
    now = _numbers(artefact)
    return (each for each in there.others(artefact) if not now or _numbers(each) < now)


def _numbers(resource: Resource) -> tuple[int, ...]:
    """Of 0.2.0; () where it is no such version."""
    parts = str(resource.get("version", "")).partition("-")[0].split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


def _retire(others: Iterable[Resource], ours: Ours, versions: Collection[str]) -> Iterator[Step]:
    for old in others:
        if old.get("version") not in versions or old.get("status") == "retired":
            continue
        retired = {**old, "status": "retired"}
        if ours.wrote(old):
            yield Step("retire", marked(retired, old), (old,))
        else:
            yield Step("conflict", retired, (old,), "edited")


def _tags(meta: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    tags = meta.get("tag")
    return [tag for tag in (tags if isinstance(tags, list) else []) if isinstance(tag, Mapping)]


def _meta(resource: Resource) -> Mapping[str, Any]:
    meta = resource.get("meta")
    return meta if isinstance(meta, Mapping) else {}
