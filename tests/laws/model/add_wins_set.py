#!/usr/bin/env python3
"""The rules of the add-wins set, small enough to be read at once, run on random schedules.

    add_wins_set.py [SCHEDULES [FIRST_SEED]]

One key, one change at a time, dictionaries instead of bytes; crdt/types/set.cc does the same with
batches, fields and views. In a schedule actors write at their home replicas, with contexts that are
whole, outdated or read elsewhere, and replicas receive each actor's changes in order, stop between
the data and the watermark, prune late, go back to snapshots, lose everything, and merge one
another's states. Whatever happened, a replica holds what the specification says of the changes that
its watermark covers, and equal watermarks mean equal dots.
"""
import copy
import random
import sys
from collections import namedtuple

EVERY = "*"  # stands for all elements: what a clear removes

# `saw`: actor -> the last of its changes that the writer had seen; of its own, less than its seq.
# `kind`: add, remove, clear, or elsewhere: a change to another key, which takes a seq all the same.
Change = namedtuple("Change", "kind element saw")


def raise_to(vector, actor, seq):
    if seq > vector.get(actor, 0):
        vector[actor] = seq


def join_vectors(mine, theirs):
    for actor, seq in theirs.items():
        raise_to(mine, actor, seq)


class Replica:
    def __init__(self):
        self.dots = {}  # element -> actor -> seq of its newest add that nobody removed
        self.clock = {}  # actor -> last of its changes to this key that was joined
        self.deferred = {}  # element, or EVERY -> actor -> its adds up to here are removed already
        self.watermark = {}  # actor -> last change applied with none missing before it

    def join(self, actor, seq, change):
        """A change that comes again changes nothing."""
        if change.kind == "elsewhere" or seq <= self.clock.get(actor, 0):
            return
        self.clock[actor] = seq
        if change.kind == "add":
            if seq > self.removed_already(change.element, actor):
                self.dots.setdefault(change.element, {})[actor] = seq
            return
        concerned = [change.element] if change.kind == "remove" else list(self.dots)
        for element in concerned:
            self.keep(element, lambda each, dot: dot > change.saw.get(each, 0))
        # What the remover had seen and this replica has not: it must not come back when it comes.
        ahead = self.deferred.setdefault(change.element, {})
        for each, seen in change.saw.items():
            if each != actor and seen > self.watermark.get(each, 0):
                raise_to(ahead, each, seen)

    def keep(self, element, lives):
        dots = {a: dot for a, dot in self.dots.get(element, {}).items() if lives(a, dot)}
        self.dots.pop(element, None)
        if dots:
            self.dots[element] = dots

    def removed_already(self, element, actor):
        return max(self.deferred.get(each, {}).get(actor, 0) for each in (element, EVERY))

    def prune(self):
        """A deferred remove has done its work once the watermark covers it."""
        for element in list(self.deferred):
            rest = {a: seq for a, seq in self.deferred[element].items()
                    if seq > self.watermark.get(a, 0)}
            self.deferred.pop(element)
            if rest:
                self.deferred[element] = rest

    def merge(self, other):
        """State merge: a dot lives if both have it, or if who lacks it has never seen it."""
        for element, removed in other.deferred.items():
            join_vectors(self.deferred.setdefault(element, {}), removed)
        merged = {}
        for element in self.dots.keys() | other.dots.keys():
            mine, theirs = self.dots.get(element, {}), other.dots.get(element, {})
            for actor in mine.keys() | theirs.keys():
                a, b = mine.get(actor, 0), theirs.get(actor, 0)
                unseen = a > other.clock.get(actor, 0) or b > self.clock.get(actor, 0)
                lives = (a and b) or unseen
                if lives and max(a, b) > self.removed_already(element, actor):
                    merged.setdefault(element, {})[actor] = max(a, b)
        self.dots = merged
        join_vectors(self.clock, other.clock)
        join_vectors(self.watermark, other.watermark)

    def exact(self):
        """It holds what its watermark covers and nothing more."""
        return all(seq <= self.watermark.get(a, 0) for a, seq in self.clock.items())


def specified(histories, watermark):
    """An element is there when some visible add of it was seen by no visible remove or clear."""
    visible = [(actor, seq, change) for actor, changes in histories.items()
               for seq, change in enumerate(changes[:watermark.get(actor, 0)], start=1)]
    removes = [change for _, _, change in visible if change.kind in ("remove", "clear")]
    return {add.element for actor, seq, add in visible if add.kind == "add"
            and not any(each.element in (add.element, EVERY) and each.saw.get(actor, 0) >= seq
                        for each in removes)}


class Schedule:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.replicas = [Replica() for _ in range(self.dice.randint(2, 4))]
        self.snapshots = [[Replica()] for _ in self.replicas]
        actors = range(self.dice.randint(1, 4))
        self.home = {actor: self.dice.randrange(len(self.replicas)) for actor in actors}
        self.histories = {actor: [] for actor in actors}

    def run(self):
        acts = [self.write, self.receive, self.merge, self.prune, self.save, self.go_back]
        for _ in range(self.dice.randint(5, 60)):
            self.dice.choices(acts, weights=[40, 35, 9, 9, 4, 3])[0]()
            self.check()
        for replica in self.replicas:
            for actor in self.histories:
                self.deliver(replica, actor, len(self.histories[actor]))
            replica.prune()
            assert not replica.deferred, "a deferred remove is left though everything was applied"
        self.check()

    def some_replica(self):
        return self.dice.randrange(len(self.replicas))

    def write(self):
        actor = self.dice.choice(list(self.histories))
        changes = self.histories[actor]
        at = self.home[actor] if self.dice.random() < 0.8 else self.some_replica()
        saw = dict(self.replicas[at].watermark)
        if self.dice.random() < 0.3:  # a context that is too old is always safe
            saw = {each: self.dice.randint(0, seq) for each, seq in saw.items()}
        own = len(changes) if self.dice.random() < 0.9 else self.dice.randint(0, len(changes))
        saw[actor] = own
        kind = self.dice.choice(["add", "add", "add", "remove", "remove", "clear", "elsewhere"])
        element = EVERY if kind == "clear" else self.dice.choice("xy")
        changes.append(Change(kind, element, saw))

    def receive(self):
        replica = self.replicas[self.some_replica()]
        actor = self.dice.choice(list(self.histories))
        self.deliver(replica, actor, self.dice.randint(1, 4), crash=self.dice.random() < 0.3)

    def deliver(self, replica, actor, count, crash=False):
        """The next changes; a crash leaves some of them joined, and the watermark where it was."""
        have = replica.watermark.get(actor, 0)
        changes = self.histories[actor][have:have + count]
        joined = changes[:self.dice.randint(0, len(changes))] if crash else changes
        for seq, change in enumerate(joined, start=have + 1):
            replica.join(actor, seq, change)
        if not crash:
            raise_to(replica.watermark, actor, have + len(changes))

    def merge(self):
        self.replicas[self.some_replica()].merge(copy.deepcopy(self.replicas[self.some_replica()]))

    def prune(self):
        self.replicas[self.some_replica()].prune()

    def save(self):
        at = self.some_replica()
        self.snapshots[at].append(copy.deepcopy(self.replicas[at]))

    def go_back(self):
        """To a snapshot; the first is that of an empty replica."""
        at = self.some_replica()
        self.replicas[at] = copy.deepcopy(self.dice.choice(self.snapshots[at]))

    def check(self):
        exact = [replica for replica in self.replicas if replica.exact()]
        for number, replica in enumerate(exact):
            wanted = specified(self.histories, replica.watermark)
            assert set(replica.dots) == wanted, f"it holds {set(replica.dots)}, not {wanted}"
            for other in exact[:number]:
                same = replica.watermark == other.watermark
                assert not same or replica.dots == other.dots, "equal watermarks, other dots"


def main():
    schedules, first = (*map(int, sys.argv[1:3]), *(2_000, 1)[len(sys.argv[1:3]):])
    for seed in range(first, first + schedules):
        try:
            Schedule(seed).run()
        except AssertionError as broken:
            sys.exit(f"seed {seed}: {broken}\n  again: {sys.argv[0]} 1 {seed}")
    print(f"{schedules} schedules hold")


if __name__ == "__main__":
    main()
