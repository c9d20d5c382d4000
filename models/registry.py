"""Named things that come with the package, and those that are added from outside.

Models, tables and quantities each have a :class:`Registry`, which reads as a mapping. What comes
with the package is read without a look outside. Whoever asks for more, for a name that is not among
those or for all of them, gets what was registered too: by hand in this session, and by the plug-ins
that are installed. A plug-in is an entry point of the group ``aligntax.plugins``. It names a
function without arguments, which is called once, when somebody first asks for more.

A plug-in that fails is told of in one line and leaves nothing behind. Errors about unknown names
then say why they are unknown.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from logging import getLogger
from threading import RLock
from types import MappingProxyType
from typing import Any, Protocol

from aligntax.models.errors import InputError, brief

GROUP = "aligntax.plugins"


def installed() -> Iterable[Any]:
    """Entry points of the installed plug-ins; a look through all packages takes some 20 ms."""
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


@dataclass(frozen=True)
class PlugIn:
    """An installed plug-in: its entry point, and the package and version that it comes in."""

    name: str
    package: str
    version: str


class Extensions:
    """Everything that is added from outside to some registries.

    Attributes
    ----------
    loaded : dict of str to PlugIn
        Plug-ins that work.
    broken : dict of str to str
        Why each of the others does not.
    """

    def __init__(self, find: Callable[[], Iterable[Any]] = installed) -> None:
        self.find = find
        self.lock = RLock()  # a plug-in reads and fills registries while it is loaded
        self.registries: dict[str, Registry[Any]] = {}
        self.loaded: dict[str, PlugIn] = {}
        self.broken: dict[str, str] = {}
        self.loading: PlugIn | None = None
        self.begun = self.done = False

    def load(self) -> None:
        """Call every installed plug-in, once; other threads wait until it is done."""
        if self.done:
            return
        with self.lock:
            if self.begun:
                return
            self.begun = True
            for point in self.find():
                self._load(point)
            self.done = True

    def _load(self, point: Any) -> None:
        package, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
        before = self._snapshot()
        self.loading = PlugIn(point.name, package, version)
        try:
            point.load()()
        except Exception as error:  # whatever it is, the models of the package work without it
            self._restore(before)
            reason = brief(f"{type(error).__name__}: {error}")
            self.broken[point.name] = reason
            where = f" of {package} {version}" if package else ""
            told = "aligntax: the plug-in %s%s does not load and is left out: %s"
            getLogger("aligntax").warning(told, point.name, where, reason)
        else:
            self.loaded[point.name] = self.loading
        finally:
            self.loading = None

    def hint(self) -> str:
        """End of an error about an unknown name: which plug-ins may lack, and why."""
        self.load()
        told = ", ".join(f"{name} ({reason})" for name, reason in self.broken.items())
        return f"; plug-ins that do not load: {told}" if told else ""

    def used(self, names: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
        """Plug-ins behind some names, by registry, for a run's record."""
        found = (self.registries[what].plug_ins.get(name) for what in names for name in names[what])
        return [asdict(plug_in) for plug_in in dict.fromkeys(found) if plug_in is not None]

    def absent(self, known: Sequence[Mapping[str, str]]) -> list[str]:
        """In words, the plug-ins of a run's record that are not at hand."""
        if not known:
            return []
        self.load()
        return [self._absence(**each) for each in known if each["name"] not in self.loaded]

    def _absence(self, name: str, package: str, version: str) -> str:
        if name in self.broken:
            return f"the plug-in {name}, which does not load: {self.broken[name]}"
        return f"the plug-in {name}, which is not installed: install {package} {version}".rstrip()

    def by_hand(self) -> "Registrations":
        """What was registered in this session, for a worker's process.

        Raises
        ------
        InputError
            If a worker could not import it.
        """
        entries = tuple(
            (what, entry)
            for what, registry in self.registries.items()
            for entry in registry.added_by_hand
        )
        for what, entry in entries:
            _require_importable(what, entry)
        return Registrations(entries)

    @contextmanager
    def forgotten_after(self) -> Iterator[None]:
        """Forget, at the end of the block, what was registered within it."""
        self.load()  # else it would forget the plug-ins that are loaded within
        before = self._snapshot()
        try:
            yield
        finally:
            with self.lock:
                self._restore(before)

    def _snapshot(self) -> dict[str, tuple[dict[str, Any], dict[str, PlugIn]]]:
        return {k: (dict(r.entries), dict(r.plug_ins)) for k, r in self.registries.items()}

    def _restore(self, before: Mapping[str, tuple[dict[str, Any], dict[str, PlugIn]]]) -> None:
        for what, (entries, plug_ins) in before.items():
            registry = self.registries[what]
            registry.entries, registry.plug_ins = entries, plug_ins


EXTENSIONS = Extensions()


class Named(Protocol):
    """Anything that a registry may hold."""

    @property
    def name(self) -> str:
        """The name that it is found by."""


class Registry[T: Named](Mapping[str, T]):
    """Things of one kind by name: the package's own first, then those from outside.

    Parameters
    ----------
    what : str
        One of them in a word, as error messages name the argument.
    own : iterable
        What comes with the package.

    Attributes
    ----------
    entries : dict
        What was added, as far as plug-ins are loaded.
    plug_ins : dict of str to PlugIn
        The plug-in behind each entry that was not added by hand.
    """

    def __init__(self, what: str, own: Iterable[T], extensions: Extensions = EXTENSIONS) -> None:
        self.what, self.own = what, MappingProxyType({entry.name: entry for entry in own})
        self.extensions = extensions
        self.entries: dict[str, T] = {}
        self.plug_ins: dict[str, PlugIn] = {}
        extensions.registries[what] = self

    @property
    def added(self) -> Mapping[str, T]:
        """What was added from outside."""
        self.extensions.load()
        return self.entries

    @property
    def added_by_hand(self) -> list[T]:
        """What was added in this session, and by no plug-in."""
        return [entry for name, entry in self.added.items() if name not in self.plug_ins]

    def __getitem__(self, name: str) -> T:
        return self.own[name] if name in self.own else self.added[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.own, *self.added])

    def __len__(self) -> int:
        return len(self.own) + len(self.added)

    def __repr__(self) -> str:
        return f"<{len(self)} by name: {', '.join(self)}>"

    def register(self, entry: T, replace: bool = False) -> None:
        """Add something from outside.

        Parameters
        ----------
        replace : bool
            Whether it may take the place of one that was added by hand.

        Raises
        ------
        InputError
            If the name is taken.
        """
        self.extensions.load()
        name = entry.name
        with self.extensions.lock:
            loading = self.extensions.loading
            if name in self.own or name in self.entries:
                by_hand = name not in self.own and name not in self.plug_ins and loading is None
                if not (replace and by_hand):
                    raise InputError(self._taken(name, by_hand))
            self.entries = {**self.entries, name: entry}
            if loading is not None:
                self.plug_ins = {**self.plug_ins, name: loading}

    def _taken(self, name: str, by_hand: bool) -> str:
        rule = f"{self.what}: must have a name of its own, got {name!r}"
        if name in self.own:
            return f"{rule}, which comes with the package; choose another name"
        if by_hand:
            return f"{rule}, which is registered already; choose another name, or give replace=True"
        owner = self.plug_ins.get(name)
        whose = f"of the plug-in {owner.name}" if owner else "of this session"
        return f"{rule}, which is {whose}; choose another name"


@dataclass(frozen=True)
class Registrations:
    """What was registered by hand in one process, for another one, which receives it pickled."""

    entries: tuple[tuple[str, Any], ...]

    def repeat(self, extensions: Extensions = EXTENSIONS) -> None:
        """Register it in this process too, where it is not known yet."""
        for what, entry in self.entries:
            if entry.name not in extensions.registries[what]:
                extensions.registries[what].register(entry)


def _require_importable(what: str, entry: Named) -> None:
    """Raise an error about a thing that a worker's process could not receive."""
    rule = f"{what}: workers must be able to import what {entry.name!r} is made of"
    remedy = "put its functions, with names, into a file that can be imported, or into a plug-in"
    from multiprocessing.reduction import ForkingPickler  # half of what `--help` takes

    try:
        pickled = bytes(ForkingPickler.dumps(entry))
    except Exception as error:  # it raises what the objects' own methods do
        raise InputError(f"{rule}, got {brief(str(error))}; {remedy}") from error
    main = sys.modules["__main__"]
    if b"__main__" in pickled and not hasattr(main, "__file__"):
        raise InputError(f"{rule}, got functions of a notebook or prompt; {remedy}")
