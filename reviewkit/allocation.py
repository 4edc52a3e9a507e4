"""Who reviews whom: seeded, balanced, never oneself.

Every submission has `count` slots and so has every reviewer; both lists are shuffled and laid side by side, and
swaps repair what is wrong, the worst first. Relaxed in this order where it cannot be otherwise: pairs of an earlier
round, reciprocal pairs, one review more or less. Never relaxed: oneself, exclusions, the same pair twice.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

TRIES = 60
"""Sweeps of repair before what is left counts as impossible; a class of 300 needs two or three."""

STARTS, SMALL = 10, 2500
"""A class with few slots is begun anew so often when something had to be relaxed; a large one hardly ever needs it."""

FEW = 100
"""Partners that are tried before all of them are."""

HARD = 1_000_000
RECIPROCAL = 1_000
PAST = 1

Pair = tuple[str, str]
"""(submission, reviewer)"""


@dataclass(frozen=True, kw_only=True)
class Allocated:
    """New pairs, the number each was meant to give and get, and what had to be relaxed, in words."""

    pairs: tuple[Pair, ...]
    count: int
    relaxed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What was laid before, and what stands in the way of more.

    excluded: pairs of people who must not review each other. past: (reviewer, author) of earlier rounds. existing:
    pairs that stay as they are and count, also of people and submissions that take part no more (`others`: submission
    -> author). spent: pairs that count for nothing and never come back. full: submissions that take no more reviews.
    """

    excluded: Collection[frozenset[str]] = ()
    past: Collection[tuple[str, str]] = ()
    existing: Collection[Pair] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    spent: Collection[Pair] = ()
    full: Collection[str] = ()


NOTHING = Known()


def allocate(
    authors: Mapping[str, str], reviewers: Sequence[str], count: int, *, seed: int, known: Known = NOTHING
) -> Allocated:
    """Give every submission `count` reviewers and every reviewer `count` submissions, as far as it goes.

    authors: submission -> its author, of those in the count. reviewers: ids, each at most once. The same arguments
    give the same answer.
    """
    if not authors:
        return Allocated(pairs=(), count=0, relaxed=("No submission is frozen yet, so there is nothing to review.",))
    if len(authors) <= 2 or len(reviewers) <= 2:
        people = len(reviewers)
        return Allocated(
            pairs=(),
            count=0,
            relaxed=(
                f"Blind reviews are impossible with {people} {'person' if people == 1 else 'people'}: "
                "give the instructor's own review instead.",
            ),
        )
    relaxed = list[str]()
    wanted, count = count, min(count, len(authors) - 1, len(reviewers) - 1)
    if count < wanted:
        relaxed.append(f"Everybody gives and gets {count} instead of {wanted}: the class is too small for more.")
    chance = random.Random(seed)  # noqa: S311 (the seed comes from `secrets`)
    best = _Repair(authors, reviewers, count, chance=chance, known=known)
    for _ in range(min(STARTS, SMALL // max(1, len(best.kept)))):
        if not any(best.relaxed()):
            break
        best = min(best, _Repair(authors, reviewers, count, chance=chance, known=known), key=_Repair.relaxed)
    relaxed += best.said()
    return Allocated(pairs=tuple(best.kept), count=count, relaxed=tuple(relaxed))


class _Repair:
    """Two columns of slots and the swaps that mend them."""

    def __init__(
        self,
        authors: Mapping[str, str],
        reviewers: Sequence[str],
        count: int,
        *,
        chance: random.Random,
        known: Known,
    ) -> None:
        self.authors, self.reviewers, self.random = authors, list(reviewers), chance
        self.excluded, self.past, self.spent = set(known.excluded), set(known.past), set(known.spent)
        fixed, everybody = set(known.existing), {**known.others, **authors}
        got = Counter(submission for submission, _ in fixed)
        gave = Counter(reviewer for _, reviewer in fixed)
        full = set(known.full)
        left = self.slots([each for each in authors if each not in full], count, got)
        right = self.slots(reviewers, count, gave)
        size = min(len(left), len(right))
        self.left, self.missing = left[:size], left[size:]
        self.right, self.idle = right[:size], right[size:]
        self.random.shuffle(self.left)
        self.random.shuffle(self.right)
        self.load, self.count, self.extra = gave, count, 0
        self.uses = Counter(zip(self.left, self.right, strict=True))
        self.uses.update(fixed)
        self.edges = Counter(
            (reviewer, everybody[submission])
            for submission, reviewer in self.uses.elements()
            if submission in everybody
        )
        self.kept = self.solve()

    def slots(self, all_: Sequence[str], count: int, filled: Mapping[str, int]) -> list[str]:
        """The free slots of each, theirs first who have fewest filled: where one side has more, those come first."""
        free = [(slot, each) for each in all_ for slot in range(filled.get(each, 0), count)]
        self.random.shuffle(free)
        return [each for _, each in sorted(free, key=lambda one: one[0])]

    def cost(self, submission: str, reviewer: str) -> int:
        """What is wrong with a pair that is laid now."""
        author = self.authors[submission]
        if author == reviewer or frozenset((author, reviewer)) in self.excluded:
            return HARD
        if self.uses[submission, reviewer] > 1 or (submission, reviewer) in self.spent:
            return HARD
        wrong = RECIPROCAL if self.edges[author, reviewer] else 0
        return wrong + (PAST if (reviewer, author) in self.past else 0)

    def lay(self, submission: str, reviewer: str, by: int) -> None:
        self.uses[submission, reviewer] += by
        self.edges[reviewer, self.authors[submission]] += by

    def swap(self, i: int, j: int) -> None:
        """Exchange the reviewers of two slots."""
        for slot in (i, j):
            self.lay(self.left[slot], self.right[slot], -1)
        self.right[i], self.right[j] = self.right[j], self.right[i]
        for slot in (i, j):
            self.lay(self.left[slot], self.right[slot], 1)

    def at(self, slot: int) -> int:
        return self.cost(self.left[slot], self.right[slot])

    def solve(self) -> list[Pair]:
        size = len(self.left)
        order = list(range(size))
        for _ in range(TRIES):
            wrong = [slot for slot in order if self.at(slot)]
            if not [slot for slot in wrong if self.mend(slot, order)]:
                break
        pairs = list[Pair]()
        for slot in order:
            pair = self.left[slot], self.right[slot]
            if self.at(slot) >= HARD:
                self.lay(*pair, -1)
                self.missing.append(pair[0])
                self.idle.append(pair[1])
            else:
                pairs.append(pair)
                self.load[pair[1]] += 1
        return pairs + self.spread()

    def relaxed(self) -> tuple[int, int, int, int]:
        """How much had to be relaxed, what matters most first."""
        traded, repeated = self.traded(), self.repeated()
        return len(self.missing), len(traded), repeated, self.extra

    def traded(self) -> set[frozenset[str]]:
        """The people who review each other by a new pair."""
        return {
            frozenset((self.authors[submission], reviewer))
            for submission, reviewer in self.kept
            if self.edges[self.authors[submission], reviewer]
        }

    def repeated(self) -> int:
        """New pairs of an earlier round."""
        return sum(1 for submission, reviewer in self.kept if (reviewer, self.authors[submission]) in self.past)

    def spread(self) -> list[Pair]:
        """Give what is missing to those who have least, at most one more than everybody's share."""
        more = list[Pair]()
        still = list[str]()
        free = [each for each in self.reviewers if self.load[each] <= self.count]
        self.random.shuffle(free)
        free.sort(key=self.load.__getitem__)
        for submission in self.missing:
            chosen, cost = "", HARD
            for reviewer in free:
                if (wrong := self.trial(submission, reviewer)) < cost:
                    chosen, cost = reviewer, wrong
                if not cost:
                    break
            if not chosen:
                still.append(submission)
                continue
            self.lay(submission, chosen, 1)
            self.load[chosen] += 1
            self.extra += self.load[chosen] > self.count
            more.append((submission, chosen))
            free.remove(chosen)
            if self.load[chosen] <= self.count:
                free.append(chosen)
        self.missing = still
        return more

    def trial(self, submission: str, reviewer: str) -> int:
        """What would be wrong with a pair that is not laid."""
        self.lay(submission, reviewer, 1)
        cost = self.cost(submission, reviewer)
        self.lay(submission, reviewer, -1)
        return cost

    def mend(self, slot: int, order: Sequence[int]) -> bool:
        """Try partners in random order; keep the first swap that leaves the two slots better than they were."""
        if not (now := self.at(slot)):
            return False
        for other in self.partners(order):
            before = now + self.at(other)
            if other == slot:
                continue
            self.swap(slot, other)
            if self.at(slot) + self.at(other) < before:
                return True
            self.swap(slot, other)
        return False

    def partners(self, order: Sequence[int]) -> Iterator[int]:
        """All slots in random order; first a few, which nearly always suffice and cost no shuffle of a large class."""
        yield from self.random.sample(order, min(FEW, len(order)))
        if len(order) > FEW:
            yield from self.random.sample(order, len(order))

    def said(self) -> list[str]:
        """What had to be relaxed, in words for the instructor."""
        sentences = list[str]()
        traded, repeated = self.traded(), self.repeated()
        if traded:
            sentences.append(f"{len(traded)} pairs of people review each other; it could not be avoided.")
        if repeated:
            sentences.append(f"{repeated} people review somebody again whom they reviewed in an earlier round.")
        if self.extra:
            sentences.append(f"{self.extra} people give one review more than the others.")
        if self.missing:
            names = sorted({self.authors[submission] for submission in self.missing})
            sentences.append(
                f"{len(self.missing)} reviews could not be placed: the submissions of {', '.join(names)} get fewer "
                "(look at their exclusions)."
            )
        return sentences
