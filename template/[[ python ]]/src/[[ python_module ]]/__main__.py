from .app import create_app
from .platform.server import main

if __name__ == "__main__":
    main(create_app)
