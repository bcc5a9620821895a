//! derive(BaseUser) for djauth
