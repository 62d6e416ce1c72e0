"""The entry of a Hugging Face Space, and of `python app.py`: build the page, launch it."""

from pointprompt.ui.command import main

if __name__ == "__main__":
    main()
