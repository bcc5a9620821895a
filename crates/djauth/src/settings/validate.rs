//! What one setting alone cannot be judged by.

use super::{DEFINITIONS, ImproperlyConfigured, SameSite, Settings};

/// What `djauth runserver` answers itself, beside the probes.
const OWN_PATHS: [&str; 4] = [
    "/accounts/",
    "/auth/verify",
    "/auth/original",
    "/favicon.ico",
];

impl Settings {
    /// Judges all settings, each alone and together; the builder of `Auth` does it too.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be used, by name.
    pub fn validate(&self) -> Result<(), ImproperlyConfigured> {
        for definition in DEFINITIONS {
            (definition.check)(self)
                .map_err(|problem| ImproperlyConfigured::setting(definition.name, problem))?;
        }
        self.hashers()?;
        self.validate_time()?;
        self.validate_engine()?;
        self.validate_mail()?;
        self.validate_admin()?;
        for cookie in self.cookies() {
            cookie.validate()?;
        }
        self.validate_names()
    }

    fn validate_time(&self) -> Result<(), ImproperlyConfigured> {
        if self.use_tz {
            return Ok(());
        }
        Err(ImproperlyConfigured::setting(
            "USE_TZ",
            "false is not supported: times are read and written in UTC",
        ))
    }

    fn validate_engine(&self) -> Result<(), ImproperlyConfigured> {
        if !self.session_engine.needs_cache() || self.cache_url.is_some() {
            return Ok(());
        }
        let engine = self.session_engine.short_name();
        Err(ImproperlyConfigured::setting(
            "CACHE_URL",
            format!("expected a URL, because SESSION_ENGINE is {engine:?}"),
        ))
    }

    /// The admin is neither at nor around nor within what the server answers itself.
    fn validate_admin(&self) -> Result<(), ImproperlyConfigured> {
        let url = &*self.admin_url;
        if url.is_empty() {
            return Ok(());
        }
        let probes = [&self.health_liveness_path, &self.health_readiness_path];
        let probes = probes.into_iter().filter_map(|path| path.as_deref());
        for own in OWN_PATHS.into_iter().chain(probes) {
            let path = format!("{}/", own.trim_matches('/'));
            if url.starts_with(&path) || path.starts_with(url) {
                return Err(ImproperlyConfigured::setting(
                    "ADMIN_URL",
                    format!("expected another place, because the server has {own:?} itself"),
                ));
            }
        }
        Ok(())
    }

    fn validate_names(&self) -> Result<(), ImproperlyConfigured> {
        if self.csrf_use_sessions || self.session_cookie_name != self.csrf_cookie_name {
            return Ok(());
        }
        Err(ImproperlyConfigured::setting(
            "CSRF_COOKIE_NAME",
            "expected another name than that of SESSION_COOKIE_NAME",
        ))
    }

    fn cookies(&self) -> [Cookie<'_>; 2] {
        [
            Cookie {
                prefix: "SESSION",
                name: &self.session_cookie_name,
                domain: self.session_cookie_domain.as_deref(),
                path: &self.session_cookie_path,
                secure: self.session_cookie_secure,
                samesite: self.session_cookie_samesite,
            },
            Cookie {
                prefix: "CSRF",
                name: &self.csrf_cookie_name,
                domain: self.csrf_cookie_domain.as_deref(),
                path: &self.csrf_cookie_path,
                secure: self.csrf_cookie_secure,
                samesite: self.csrf_cookie_samesite,
            },
        ]
    }
}

/// The settings of one cookie.
struct Cookie<'a> {
    prefix: &'static str,
    name: &'a str,
    domain: Option<&'a str>,
    path: &'a str,
    secure: bool,
    samesite: SameSite,
}

impl Cookie<'_> {
    /// Refuses cookies that every browser throws away.
    fn validate(&self) -> Result<(), ImproperlyConfigured> {
        if self.samesite == SameSite::None && !self.secure {
            return self.wrong(
                "SAMESITE",
                "\"None\" needs SECURE = true: browsers refuse such a cookie otherwise",
            );
        }
        if (self.name.starts_with("__Secure-") || self.name.starts_with("__Host-")) && !self.secure
        {
            return self.wrong(
                "NAME",
                "a name with __Secure- or __Host- needs SECURE = true",
            );
        }
        if self.name.starts_with("__Host-") && (self.domain.is_some() || self.path != "/") {
            return self.wrong(
                "NAME",
                "a name with __Host- needs PATH = \"/\" and no DOMAIN",
            );
        }
        Ok(())
    }

    fn wrong(&self, what: &str, problem: &str) -> Result<(), ImproperlyConfigured> {
        Err(ImproperlyConfigured::setting(
            format!("{}_COOKIE_{what}", self.prefix),
            problem,
        ))
    }
}
