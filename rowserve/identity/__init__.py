"""Who is asking: authenticators tell by a request's headers, as claims. What they may do is not decided here.

An authenticator is a dependency of FastAPI, ``user: Annotated[Claims, Depends(JWT(…))]``, and can be asked without it.
"""

from ..authentication import USER as USER
from ..authentication import Authenticator as Authenticator
from ..authentication import FirstOf as FirstOf
from ..claims import Claims as Claims
from .jwt import JWT as JWT
from .tokens import Tokens as Tokens
