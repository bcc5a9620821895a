//! What a list is searched for: `smart_split`, `construct_search`.
