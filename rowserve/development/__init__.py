"""Guard rails while developing: what makes an async application slow or wrong is told as soon as it happens, with the
line of the application that it comes from and the way out.

``rowserve serve --reload`` turns them on; ``app.add_middleware(GuardRails)`` does for any other server. Nothing of this
room is imported otherwise.
"""

from .rails import GuardRails as GuardRails
