"""Masks of all images and what made them -> files, and prompts back in.

archive.py         all of it in one ZIP file
prompt_json.py     the prompt and what else made the masks; read again as well
"""
