"""`payrail seed`: a made-up month played at a running house, over HTTP alone.

`month` goes from day to day; `calendar` has the house's clock, `found` what the house has of the
seed already, `ids` which payment a key became, `deeds` and `happenings` what follows, `ends` how it
all stands afterwards, `tally` what was done. Nothing here grows with the number of payments.
Never: writes a file of the house, or keeps one of its own.
"""
