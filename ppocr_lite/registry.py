"""Name → class, one registry per kind, nothing else.

A registry is defined in the ``base.py`` of the package whose classes it holds, and
that package's ``__init__`` imports every module by name.  Python imports a parent
package before its modules, so nobody outside can see a registry half filled.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from ppocr_lite.errors import RegistryError, suggest

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])
log = logging.getLogger(__name__)


class Registry(Generic[T]):
    """Maps class names to classes of one kind.

    Args:
        kind: Word used in error messages, e.g. ``"transform"``.
        runtime: Constructor arguments supplied by code, never by YAML,
            e.g. ``("in_channels",)`` for necks.
    """

    def __init__(self, kind: str, runtime: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.runtime = frozenset(runtime)
        self._classes: dict[str, type[T]] = {}

    def register(self, cls: C) -> C:
        """Class decorator.  The name in YAML is the class name, so ``grep`` finds it."""
        for parameter in inspect.signature(cls).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise RegistryError(
                    f"{where(cls)}: {self.kind} {cls.__name__!r} takes {parameter}. "
                    "The constructor signature is the config schema: spell every argument out."
                )
        if cls.__name__ in self._classes:
            raise RegistryError(
                f"{self.kind} {cls.__name__!r} is declared twice: "
                f"{where(self._classes[cls.__name__])} and {where(cls)}."
            )
        self._classes[cls.__name__] = cls
        return cls

    def get(self, name: str) -> type[T]:
        """Return the class called *name*.

        Raises:
            RegistryError: If nothing has that name; lists what has.
        """
        if name not in self._classes:
            raise RegistryError(f"No {self.kind} is called {name!r}.{suggest(name, self._classes)}")
        return self._classes[name]

    def build(self, node: dict[str, Any], **runtime: Any) -> T:
        """Call the class named by ``node["name"]`` with the rest of *node*.

        Args:
            node: A checked component node, e.g. ``{"name": "DBHead", "k": 50}``. Not modified.
            **runtime: Values for :attr:`runtime`; those the class does not take are dropped.
        """
        cls = self.get(node["name"])
        accepted = inspect.signature(cls).parameters
        kwargs = {k: v for k, v in node.items() if k != "name"}
        kwargs |= {k: v for k, v in runtime.items() if k in accepted}
        if log.isEnabledFor(logging.DEBUG):  # reading a source for its line takes long
            log.debug("build %s %s (%s)", self.kind, cls.__name__, where(cls))
        return cls(**kwargs)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))

    def __len__(self) -> int:
        return len(self._classes)

    def __repr__(self) -> str:
        return f"Registry({self.kind!r}, {list(self)})"


def where(cls: Callable[..., Any]) -> str:
    """Return ``path:line`` of a class, for messages a reader can click on."""
    try:
        return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return f"{cls.__module__}.{cls.__qualname__}"
