//! Pages that say what this side thinks of a visitor: `reports/views.py`.

use axum::Json;
use axum::extract::State;
use djauth::permission;
use djauth::{
    Auth, BaseUser, Error, LoginRequired, MaybeUser, PermissionRequired, Rejection, Request,
    Session,
};
use serde_json::{Map, Value, json};

permission!(pub(crate) PublishReport = "reports.publish_report");

pub(crate) async fn who<U: BaseUser>(
    State(auth): State<Auth<U>>,
    user: MaybeUser<U>,
) -> Result<Json<Value>, Rejection> {
    match user.get().await? {
        Some(user) => facts(&auth, &user).await,
        None => Ok(Json(json!({
            "user": "",
            "id": null,
            "is_authenticated": false,
            "is_superuser": false,
            "permissions": [],
        }))),
    }
}

pub(crate) async fn private<U: BaseUser>(
    State(auth): State<Auth<U>>,
    LoginRequired(user): LoginRequired<U>,
) -> Result<Json<Value>, Rejection> {
    facts(&auth, &user).await
}

async fn facts<U: BaseUser>(auth: &Auth<U>, user: &U) -> Result<Json<Value>, Rejection> {
    let mut permissions: Vec<_> = auth
        .get_all_permissions(user, None)
        .await?
        .into_iter()
        .collect();
    permissions.sort();
    Ok(Json(json!({
        "user": user.get_username(),
        "id": user.id().to_string(),
        "is_authenticated": true,
        "is_superuser": user.is_superuser(),
        "permissions": permissions,
    })))
}

pub(crate) async fn report<U: BaseUser>(_: PermissionRequired<PublishReport, U>) -> &'static str {
    "published"
}

pub(crate) async fn session(request: Request) -> Result<Json<Value>, Rejection> {
    Ok(Json(Value::Object(held(request.session()).await?)))
}

pub(crate) async fn change_session(
    request: Request,
    Json(values): Json<Map<String, Value>>,
) -> Result<Json<Value>, Rejection> {
    change(request.session(), values).await?;
    session(request).await
}

async fn held(session: &Session) -> Result<Map<String, Value>, Error> {
    let mut held = Map::new();
    for key in session.keys().await? {
        if !key.starts_with("_auth_user_hash") {
            held.insert(key.clone(), session.get(&key).await?.unwrap_or(Value::Null));
        }
    }
    Ok(held)
}

async fn change(session: &Session, values: Map<String, Value>) -> Result<(), Error> {
    for (key, value) in values {
        if value.is_null() {
            session.remove(&key).await?;
        } else {
            session.insert(&key, &value).await?;
        }
    }
    Ok(())
}
