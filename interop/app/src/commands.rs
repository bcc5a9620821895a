//! Calls of the crates behind the pages, for the tests: `reports/commands.py`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use djauth::tokens::PasswordResetTokenGenerator;
use djauth::{Auth, Group, Permission};
use serde_json::{Value, json};

use crate::models::Twin;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// `{"command": …, …}` in, an object out; what goes wrong is told in full, because only tests ask.
pub(crate) async fn call<U: Twin>(
    State(auth): State<Auth<U>>,
    Json(call): Json<Value>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let call = Call {
        auth: &auth,
        arguments: &call,
    };
    let result = call.run().await;
    result
        .map(Json)
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

struct Call<'a, U: Twin> {
    auth: &'a Auth<U>,
    arguments: &'a Value,
}

impl<U: Twin> Call<'_, U> {
    async fn run(&self) -> Result<Value, Failure> {
        match self.text("command")? {
            "create_user" => self.create_user(false).await,
            "create_superuser" => self.create_user(true).await,
            "permissions" => self.permissions().await,
            "make_token" => {
                let tokens = PasswordResetTokenGenerator::new(self.auth.settings());
                let token = tokens.make_token(&self.user().await?, self.auth.now());
                Ok(json!({ "token": token }))
            }
            "describe" => Ok(self.user().await?.describe()),
            "create_group" => {
                let group = self.auth.groups().create(self.text("name")?).await?;
                Ok(json!({ "id": group.id }))
            }
            other => {
                self.change(other).await?;
                Ok(json!({}))
            }
        }
    }

    /// The calls that answer nothing.
    async fn change(&self, command: &str) -> Result<(), Failure> {
        match command {
            "set_password" => self.set_password().await?,
            "update_user" => self.update_user().await?,
            "delete_user" => {
                let user = self.user().await?;
                self.auth.users().delete(&user).await?;
            }
            "delete_group" => {
                let group = self.group("name").await?;
                self.auth.groups().delete(&group).await?;
            }
            "clear_sessions" => {
                self.auth.sessions().clear_expired().await?;
            }
            other => self.link(other).await?,
        }
        Ok(())
    }

    async fn link(&self, command: &str) -> Result<(), Failure> {
        match command {
            "grant" | "revoke" => {
                let (user, permission) = (self.user().await?, self.permission().await?);
                let held = self.auth.users().user_permissions(&user)?;
                if command == "grant" {
                    held.add(&[permission.id]).await?;
                } else {
                    held.remove(&[permission.id]).await?;
                }
            }
            "grant_group" | "revoke_group" => {
                let (group, permission) = (self.group("name").await?, self.permission().await?);
                let held = self.auth.groups().permissions(&group);
                if command == "grant_group" {
                    held.add(&[permission.id]).await?;
                } else {
                    held.remove(&[permission.id]).await?;
                }
            }
            "join" | "leave" => {
                let (user, group) = (self.user().await?, self.group("group").await?);
                let groups = self.auth.users().groups(&user)?;
                if command == "join" {
                    groups.add(&[group.id]).await?;
                } else {
                    groups.remove(&[group.id]).await?;
                }
            }
            other => return Err(format!("no such command: {other}").into()),
        }
        Ok(())
    }

    async fn create_user(&self, superuser: bool) -> Result<Value, Failure> {
        let (username, users) = (self.text("username")?, self.auth.users());
        let email = self.arguments["email"].as_str().unwrap_or_default();
        let password = self.arguments["password"].as_str();
        let fields = |user: &mut U| user.set_fields(self.arguments);
        let user = if superuser {
            users
                .create_superuser_with(username, email, password, fields)
                .await?
        } else {
            users
                .create_user_with(username, email, password, fields)
                .await?
        };
        Ok(json!({ "id": user.id().to_string() }))
    }

    async fn set_password(&self) -> Result<(), Failure> {
        let mut user = self.user().await?;
        self.auth
            .set_password(&mut user, self.text("password")?)
            .await?;
        Ok(self.auth.users().save(&mut user).await?)
    }

    async fn update_user(&self) -> Result<(), Failure> {
        let mut user = self.user().await?;
        user.set_fields(self.arguments);
        let named = self
            .arguments
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str());
        let named: Vec<_> = named
            .filter(|name| !["command", "username"].contains(name))
            .collect();
        Ok(self.auth.users().save_fields(&user, &named).await?)
    }

    async fn permissions(&self) -> Result<Value, Failure> {
        let user = self.user().await?;
        let all = self.auth.get_all_permissions(&user, None).await?;
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort();
        Ok(json!({ "permissions": all }))
    }

    async fn user(&self) -> Result<U, Failure> {
        let found = self
            .auth
            .users()
            .get_by_natural_key(self.text("username")?)
            .await?;
        found.ok_or_else(|| "no such user".into())
    }

    async fn group(&self, argument: &str) -> Result<Group, Failure> {
        let found = self
            .auth
            .groups()
            .get_by_natural_key(self.text(argument)?)
            .await?;
        found.ok_or_else(|| "no such group".into())
    }

    async fn permission(&self) -> Result<Permission, Failure> {
        let name = self.text("permission")?;
        let (app_label, codename) = name.split_once('.').ok_or("no dot in the permission")?;
        let model = codename.split_once('_').map_or("", |(_, model)| model);
        let found = self
            .auth
            .permissions()
            .get_by_natural_key(codename, app_label, model)
            .await?;
        found.ok_or_else(|| "no such permission".into())
    }

    fn text(&self, name: &str) -> Result<&str, Failure> {
        self.arguments[name]
            .as_str()
            .ok_or_else(|| format!("{name} is missing").into())
    }
}
