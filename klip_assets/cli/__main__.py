"""`python -m klip_assets.cli` is `klip`."""

from klip_assets.cli import main

main()
