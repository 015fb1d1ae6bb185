"""What the widget can do with its objects as such."""

from __future__ import annotations

from collections.abc import Callable

from .activity import Activity
from .annotation import Annotation
from .journal import action
from .to_view import JobKind


class ObjectMethods:
    """The methods of `LITWidget` that add, choose, change and delete objects."""

    _annotation: Annotation
    _submit: Callable[[JobKind, Callable[[Activity], None]], None]

    @property
    def objects(self) -> dict[int, str]:
        """Names of the objects by id."""
        return self._annotation.names

    @action
    def add_object(self, name: str | None = None) -> int:
        """Start a new object, which becomes the active one.

        Args:
            name: up to 80 characters; "object N" by default.

        Returns:
            Its id.
        """
        return self._annotation.add_object(name)

    @action
    def choose(self, object_id: int) -> None:
        """Make an object the active one: what methods mean when they are given no `object_id`.

        Args:
            object_id: which.

        Raises:
            ValueError: if there is no such object.
        """
        self._annotation.choose(object_id)

    @action
    def edit_object(
        self,
        object_id: int,
        *,
        name: str | None = None,
        colour: str | None = None,
        hidden: bool | None = None,
        locked: bool | None = None,
    ) -> None:
        """Change what an object is called or looks like, and what may be done with it; what is not given stays.

        Args:
            object_id: which.
            name: up to 80 characters.
            colour: `#rrggbb`.
            hidden: whether its masks are left out of the picture; they can still be read.
            locked: whether its masks must not change: no prompts, and tracking leaves it alone.

        Raises:
            ValueError: if there is no such object, or the name or colour cannot be one.
        """
        self._annotation.edit_object(object_id, name=name, colour=colour, hidden=hidden, locked=locked)

    @action
    def delete_object(self, object_id: int) -> None:
        """Remove an object with its masks and what its adapter learned; `undo` brings it back.

        The others keep everything. The only object stays and loses its masks.

        Args:
            object_id: which.

        Raises:
            ValueError: if there is no such object.
        """
        self._annotation.objects[object_id]
        self._submit("predict", lambda _: self._annotation.delete_object(object_id))
