"""Questions a customer might ask, with the article that answers each."""

QUESTIONS = [
    ("Both connectors went offline and nobody reaches our internal apps", "ztna-301"),
    ("Our order numbers are flagged as credit cards all the time", "dlp-401"),
    ("The bill is higher than expected this month", "gen-701"),
    ("The REST API returns 429 too many requests", "gen-722"),
    ("A released file is still stuck in quarantine on OneDrive", "casb-142"),
    ("Chrome ignores our proxy auto config", "swg-223"),
    ("The site to site VPN to the Lyon branch drops every hour", "cfw-601"),
    ("Posture scan of Workday hangs at 35 percent", "sspm-510"),
    ("Internal host names don't resolve from home but the IP address works", "ztna-320"),
    ("Users get a login prompt from the proxy again and again", "swg-244"),
    ("Exact data match CSV rejected on upload", "dlp-413"),
    ("Our only administrator lost the phone with the authenticator", "gen-710"),
    ("Splunk gets the firewall logs hours late", "cfw-641"),
    ("SSH freezes after ten minutes without typing", "ztna-350"),
    ("Outgoing connections fail at peak time, no free source ports", "cfw-620"),
    ("Text recognition in scanned PDFs takes very long", "dlp-441"),
]
OUT_OF_SCOPE = [
    "What is the best recipe for mushroom risotto?",
    "Who won the football match last night?",
    "Please recommend a novel for my holiday",
    "How tall is the Eiffel tower?",
]
