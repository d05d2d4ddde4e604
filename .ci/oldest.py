"""Print the oldest version of every package that setup.cfg allows, as constraints for pip."""

import re
from configparser import ConfigParser
from pathlib import Path

config = ConfigParser()
config.read(Path(__file__).parents[1] / "setup.cfg")
lists = [config["options"]["install_requires"], *config["options.extras_require"].values()]
for line in "\n".join(lists).splitlines():
    found = re.match(r"([\w-]+)>=([\d.]+)", line.strip())
    if found:
        name, version = found.groups()
        print(f"{name}=={version}" if version.count(".") > 1 else f"{name}=={version}.*")
