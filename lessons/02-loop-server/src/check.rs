pub const LESSON: ::check::Lesson = ::check::Lesson { number: 2, port: 8080, server: "", client: "", checks: &[] };
