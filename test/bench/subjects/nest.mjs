// A NestJS gateway on ws with its ValidationPipe. Only what comes in is validated; Nest has nothing for what goes out.
import "reflect-metadata";
import { Module, UsePipes, ValidationPipe } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { WsAdapter } from "@nestjs/platform-ws";
import { MessageBody, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { Type } from "class-transformer";
import { Equals, IsInt, IsString, Length, Min, ValidateNested } from "class-validator";

class Person {}
class Chat {}

/** What `@Decorator() property: type` compiles to. */
function decorate(target, key, type, ...decorators) {
  Reflect.defineMetadata("design:type", type, target, key);
  for (const decorator of decorators) decorator(target, key);
}

decorate(Person.prototype, "id", Number, IsInt(), Min(1));
decorate(Person.prototype, "name", String, IsString(), Length(1, 40));
decorate(Chat.prototype, "type", String, Equals("chat"));
decorate(Chat.prototype, "id", String, IsString(), Length(1, 40));
decorate(Chat.prototype, "room", String, IsString(), Length(1, 40));
decorate(
  Chat.prototype,
  "by",
  Person,
  ValidateNested(),
  Type(() => Person),
);
decorate(Chat.prototype, "text", String, IsString(), Length(1, 4000));
decorate(Chat.prototype, "at", Number, IsInt(), Min(0));

class ChatGateway {
  chat(message) {
    return { event: "chat", data: message };
  }
}
const method = Object.getOwnPropertyDescriptor(ChatGateway.prototype, "chat");
Reflect.defineMetadata("design:paramtypes", [Chat], ChatGateway.prototype, "chat");
MessageBody()(ChatGateway.prototype, "chat", 0);
SubscribeMessage("chat")(ChatGateway.prototype, "chat", method);
UsePipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }))(ChatGateway.prototype, "chat", method);
WebSocketGateway()(ChatGateway);

class BenchModule {}
Module({ providers: [ChatGateway] })(BenchModule);

export async function start() {
  const app = await NestFactory.create(BenchModule, { logger: ["error"] });
  app.useWebSocketAdapter(new WsAdapter(app));
  const server = await app.listen(0, "127.0.0.1");
  return { port: server.address().port };
}
