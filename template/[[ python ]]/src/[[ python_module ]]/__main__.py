from .platform.config import config_or_exit

config = config_or_exit()

# Only now: to load the rest takes much longer than to say that a variable is bad.
from .app import create_app  # noqa: E402
from .platform.server import main  # noqa: E402

if __name__ == "__main__":
    main(create_app, config)
