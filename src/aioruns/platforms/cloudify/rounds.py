"""One round over many executions, in which little has changed since the one before.

Ten thousand may be looked at in every round. So pages are compared as wholes where they
can be, and a round without any change gives the very answer of the one before.
"""

from collections.abc import Collection, Mapping, Sequence

from attrs import define, field
from msgspec.structs import replace

from aioruns.platforms.cloudify.models import ExecutionState
from aioruns.platforms.cloudify.statuses import moved, state_of, status_of
from aioruns.platforms.cloudify.words import Words
from aioruns.seam import RunRef, Status


@define(eq=False)
class Round:
    """What pages say about the executions that are followed.

    Attributes:
        refs: Which are followed.
        found: How many of them were on pages.
    """

    refs: Sequence[RunRef]
    _by_id: Mapping[str, RunRef]
    _answer: Mapping[RunRef, Status]
    _texts: Mapping[str, str]
    _before: Mapping[Words, int] = field(factory=dict)
    _plain: dict[Words, int] = field(factory=dict, init=False)
    _pages: list[Words] = field(factory=list, init=False)
    _seen: dict[str, str] = field(factory=dict, init=False)
    _news: dict[str, str] = field(factory=dict, init=False)
    found: int = field(default=0, init=False)

    @staticmethod
    def after(
        last: "Round | None", refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> "Round":
        """Begin a round.

        Args:
            last: The round before, which has ended.
            refs: Which are followed.
            known: What is known of them.
        """
        asked = list(refs)
        if last is not None and last.refs == asked:
            return last.again()
        answer = {ref: known[ref] for ref in asked if ref in known}
        texts = {ref.id: status.text for ref, status in answer.items()}
        return Round(asked, {ref.id: ref for ref in asked}, answer, texts)

    def again(self) -> "Round":
        """A round over the same ones, which has this one's answer so far."""
        return Round(self.refs, self._by_id, self._answer, self._texts, self._plain)

    @property
    def missing(self) -> int:
        """How many of them were on no page."""
        return len(self._by_id) - self.found

    def take(self, page: Words) -> int:
        """Take note of a page; how many more of them are on it.

        A page that the round before took as it is needs no look at its rows, as long
        as all pages before it are such.
        """
        gained = None if self._seen else self._before.get(page)
        if gained is None:
            gained = self._compare(page)
        else:
            self._plain[page] = gained
        self._pages.append(page)
        self.found += gained
        return gained

    def _compare(self, page: Words) -> int:
        if not self._seen:
            for earlier in self._pages:
                self._seen.update(earlier.words)
        words, before = page.words, len(self._seen)
        self._seen.update(words)
        if len(self._seen) - before < len(words):
            # Executions that start meanwhile move others to later pages, and those of
            # one id may be apart. Either word will do, as every end is asked for by id
            # (wire/cloudify.md 6.2).
            for earlier in self._pages:
                words = {one: words[one] for one in words.keys() - earlier.words.keys()}
        elif words.items() <= self._texts.items():
            self._plain[page] = len(words)
            return len(words)
        texts, by_id = self._texts, self._by_id
        other = [one for one, text in words.items() if texts.get(one) != text]
        mine = [one for one in other if one in by_id]
        self._news.update((one, words[one]) for one in mine)
        gained = len(words) - len(other) + len(mine)
        if not mine and words is page.words:
            self._plain[page] = gained
        return gained

    def unsure(self) -> set[str]:
        """Ids of those that must be asked for: their end has a reason and times."""
        ids = {
            one
            for one, text in self._news.items()
            if not isinstance(text, str) or state_of(text).final
        }
        if self.missing:
            ids.update(self._by_id.keys() - self._seen.keys())
            if not self._seen:
                ids.difference_update(*(page.words for page in self._pages))
        return ids

    def finish(
        self, unsure: Collection[str], rows: Mapping[str, ExecutionState]
    ) -> Mapping[RunRef, Status]:
        """The answer, now that those were asked for."""
        if self._news or unsure:
            answer, texts = dict(self._answer), dict(self._texts)
            for one, text in self._news.items():
                if one not in unsure:
                    ref = self._by_id[one]
                    answer[ref], texts[one] = moved(answer.get(ref), ref, text), text
            for one in unsure:
                ref, row = self._by_id[one], rows.get(one)
                known = answer.pop(ref, None)
                texts.pop(one, None)
                if row is not None:
                    same = known is not None and known.text == row.status
                    answer[ref] = known if same and known else status_of(ref, row)
                    texts[one] = row.status
            if len(self._by_id) < len(self.refs):
                self._tell_namesakes(answer)
            self._answer, self._texts = answer, texts
        return self._answer

    def _tell_namesakes(self, answer: dict[RunRef, Status]) -> None:
        """Handles of one execution by different deployments are told the same."""
        for ref in self.refs:
            status, known = answer.get(self._by_id[ref.id]), answer.get(ref)
            if status is None:
                answer.pop(ref, None)
            elif known is None or known.text != status.text:
                answer[ref] = replace(status, ref=ref)
