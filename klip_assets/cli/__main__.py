"""`python -m klip_assets.cli` runs `klip`."""

from klip_assets.cli import main

main()
