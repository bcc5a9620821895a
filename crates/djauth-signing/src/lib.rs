//! Django's signing: Signer, TimestampSigner, dumps and loads, salted_hmac, signed cookies
